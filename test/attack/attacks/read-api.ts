import type { Attack, Field } from "../attack-case.ts";
import { eachAnswered, http1Request, poured, unfinished } from "../wire/http1-talk.ts";
import { repeated } from "../wire/http2-talk.ts";
import { paddedRequest } from "../wire/payloads.ts";
import { besiege, type Talk } from "../wire/siege.ts";

const ALL_SPANS = "/api/spans?limit=10000";
const READ_ALL = http1Request({ method: "GET", path: ALL_SPANS });
const PIPELINED = repeated(READ_ALL, 16);

export async function readWithoutReading(field: Field): Promise<void> {
  const talk = () => unfinished(PIPELINED, field.tally);
  const siege = { listener: "api", reads: false, lifeMs: 500, talk } as const;
  await besiege(field, { ...siege, connections: field.size(16, 8) });
}

/** Sends this number of reads together, and the next ones after all their answers are complete. */
function readWhole(field: Field, path: string, together: number): Talk {
  const reads = repeated(http1Request({ method: "GET", path }), together);
  const [countEnds, countRefusals] = [counterOf("\r\n0\r\n\r\n"), counterOf("HTTP/1.1 503")];
  let missing = 0;
  return {
    opening: new Uint8Array(),
    next: () => {
      if (missing > 0) return undefined;
      missing = together;
      return reads;
    },
    take: (bytes) => {
      const [whole, refused] = [countEnds(bytes), countRefusals(bytes)];
      missing -= whole + refused;
      for (let at = 0; at < whole; at += 1) field.tally.add("whole answer");
      for (let at = 0; at < refused; at += 1) field.tally.add("503");
      return undefined;
    },
  };
}

/** Counts occurrences of the text, including those split between two pieces. */
function counterOf(mark: string): (bytes: Buffer) => number {
  let rest = "";
  return (bytes) => {
    const text = rest + bytes.toString("latin1");
    rest = text.slice(1 - mark.length);
    return text.split(mark).length - 1;
  };
}

function readAgain(field: Field, path: string, connections: number): Promise<void> {
  const talk = () => readWhole(field, path, 1);
  return besiege(field, { listener: "api", connections, talk });
}

/** Follows every span without reading any, while others send spans of 64 kB. */
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
    expected: "holds",
    fillsRing: true,
    run: readWithoutReading,
  },
  {
    name: "api-pipelined-unread-kept",
    does: "64 connections pipeline reads of the full ring, and read nothing",
    expected: "holds",
    fillsRing: true,
    run: async (field) => {
      const talk = () => unfinished(PIPELINED, field.tally);
      await besiege(field, { listener: "api", connections: field.size(64, 8), reads: false, talk });
    },
  },
  {
    name: "api-full-ring-json",
    does: "one ordinary client reads the full ring as JSON, repeatedly",
    expected: "holds",
    fillsRing: true,
    run: (field) => readAgain(field, ALL_SPANS, 1),
  },
  {
    name: "api-two-pipelined-reads",
    does: "4 connections send two reads of the full ring together, and read both answers",
    expected: "holds",
    fillsRing: true,
    run: async (field) => {
      const talk = () => readWhole(field, ALL_SPANS, 2);
      await besiege(field, { listener: "api", connections: field.size(4, 1), talk });
    },
  },
  {
    name: "api-traces",
    does: "8 clients read summaries of all traces of a full ring",
    expected: "holds",
    fillsRing: true,
    run: (field) => readAgain(field, "/api/traces?limit=10000", 8),
  },
  {
    name: "api-unread-tails",
    does: "64 tails of all spans that nothing reads, while 4 connections send spans of 64 kB",
    expected: "holds",
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
    does: "16 connections pipeline reads with invalid parameters",
    expected: "holds",
    run: async (field) => {
      const query = `limit=${"9".repeat(2_000)}&since=x&min_duration=${"y".repeat(2_000)}`;
      const request = http1Request({ method: "GET", path: `/api/spans?${query}` });
      const talk = () => poured(new Uint8Array(), request, field.tally);
      await besiege(field, { listener: "api", connections: field.size(16, 4), talk });
    },
  },
];
