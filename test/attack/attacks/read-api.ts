import type { Attack, Field } from "../attack-case.ts";
import { eachAnswered, http1Request, poured, unfinished } from "../wire/http1-talk.ts";
import { paddedRequest } from "../wire/payloads.ts";
import { besiege } from "../wire/siege.ts";

const READ_ALL = http1Request({ method: "GET", path: "/api/spans?limit=10000" });
const PIPELINED = Buffer.alloc(READ_ALL.length * 16, READ_ALL);

export async function readWithoutReading(field: Field): Promise<void> {
  const talk = () => unfinished(PIPELINED, field.tally);
  const siege = { listener: "api", reads: false, lifeMs: 500, talk } as const;
  await besiege(field, { ...siege, connections: field.size(16, 8) });
}

function readAgain(field: Field, path: string, connections: number): Promise<void> {
  const request = http1Request({ method: "GET", path });
  const talk = () => eachAnswered(request, field.tally);
  return besiege(field, { listener: "api", connections, talk });
}

/** Follows every span and reads none, while others send spans of 64 kB. */
async function followUnread(field: Field): Promise<void> {
  const tail = http1Request({ method: "GET", path: "/api/tail" });
  const headers = { "Content-Type": "application/x-protobuf" };
  const spans = http1Request({ headers, body: paddedRequest(16, 64 * 1024) });
  await Promise.all([
    besiege(field, {
      listener: "api",
      connections: 64,
      reads: false,
      talk: () => unfinished(tail, field.tally),
    }),
    besiege(field, {
      listener: "http",
      connections: 4,
      talk: () => eachAnswered(spans, field.tally),
    }),
  ]);
}

export const READ_API: readonly Attack[] = [
  {
    name: "api-pipelined-unread",
    does: "16 connections pipeline reads of the full ring, read nothing, and reconnect",
    expected: "known to fail",
    fillsRing: true,
    run: readWithoutReading,
  },
  {
    name: "api-pipelined-unread-kept",
    does: "64 connections pipeline reads of the full ring, and read nothing",
    expected: "known to fail",
    fillsRing: true,
    run: async (field) => {
      const talk = () => unfinished(PIPELINED, field.tally);
      await besiege(field, { listener: "api", connections: field.size(64, 8), reads: false, talk });
    },
  },
  {
    name: "api-full-ring-json",
    does: "one ordinary client reads the full ring as JSON, again and again",
    expected: "known to fail",
    fillsRing: true,
    run: (field) => readAgain(field, "/api/spans?limit=10000", 1),
  },
  {
    name: "api-traces",
    does: "8 clients read summaries of all traces of a full ring",
    expected: "known to fail",
    fillsRing: true,
    run: (field) => readAgain(field, "/api/traces?limit=10000", 8),
  },
  {
    name: "api-unread-tails",
    does: "64 tails of all spans that nothing reads, while 4 connections send spans of 64 kB",
    expected: "known to fail",
    run: followUnread,
  },
  {
    name: "api-waits",
    does: "1,000 waits for a span that never comes",
    expected: "holds",
    run: async (field) => {
      const wait = http1Request({ method: "GET", path: "/api/wait?name=never&timeout=60s" });
      const talk = () => unfinished(wait, field.tally);
      await besiege(field, { listener: "api", connections: field.size(1_000, 100), talk });
    },
  },
  {
    name: "api-wrong-queries",
    does: "16 connections pipeline reads with parameters that are wrong",
    expected: "holds",
    run: async (field) => {
      const query = `limit=${"9".repeat(2_000)}&since=x&min_duration=${"y".repeat(2_000)}`;
      const request = http1Request({ method: "GET", path: `/api/spans?${query}` });
      const talk = () => poured(new Uint8Array(), request, field.tally);
      await besiege(field, { listener: "api", connections: field.size(16, 4), talk });
    },
  },
];
