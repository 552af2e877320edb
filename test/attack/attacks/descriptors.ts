import type { Attack } from "../attack-case.ts";
import { http1Request, unfinished } from "../wire/http1-talk.ts";
import { besiege } from "../wire/siege.ts";

export const DESCRIPTORS: readonly Attack[] = [
  {
    name: "descriptors-exhausted",
    does: "1,500 connections with an unfinished request; the process may open 1,024 files",
    expected: "holds",
    maxOpenFiles: 1_024,
    run: async (field) => {
      const type = "application/x-protobuf";
      const half = http1Request({ headers: { "Content-Type": type, "Content-Length": "1000" } });
      const talk = () => unfinished(half, field.tally);
      const siege = { listener: "http", reconnects: false, talk } as const;
      await besiege(field, { ...siege, connections: field.size(1_500, 1_500) });
    },
  },
];
