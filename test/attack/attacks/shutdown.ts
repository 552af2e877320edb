import type { Attack } from "../attack-case.ts";
import { sendEmptySpans } from "./compressed.ts";
import { pourOneByteChunks } from "./http-bodies.ts";
import { pourOneByteFrames } from "./grpc-frames.ts";
import { readWithoutReading } from "./read-api.ts";

/** Attacks during a shutdown, for which the receiver has 5 s. */
export const SHUTDOWN: readonly Attack[] = [
  {
    name: "stop-during-json",
    does: "SIGTERM while 16 connections send gzip JSON with 6 million spans",
    expected: "holds",
    stops: true,
    run: sendEmptySpans,
  },
  {
    name: "stop-during-chunks",
    does: "SIGTERM while 4 connections send chunks of one byte",
    expected: "holds",
    stops: true,
    run: (field) => pourOneByteChunks(field, 4),
  },
  {
    name: "stop-during-frames",
    does: "SIGTERM while 2 connections send DATA frames of one byte",
    expected: "holds",
    stops: true,
    run: (field) => pourOneByteFrames(field, 2),
  },
  {
    name: "stop-during-reads",
    does: "SIGTERM while 16 connections pipeline reads of a full ring that they do not read",
    expected: "known to fail",
    stops: true,
    fillsRing: true,
    run: readWithoutReading,
  },
  ...(["hangs", "refuses", "accepts"] as const).map((upstream): Attack => ({
    name: `stop-with-backlog-${upstream}`,
    does: `SIGTERM with 60 MiB of spans to forward to a slow upstream that ${upstream}`,
    expected: "holds",
    stops: true,
    upstream,
    environment: { MAX_BUFFER_SIZE: "300000" },
    run: async (field) => await field.over,
  })),
];
