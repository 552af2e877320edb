import { messagePrefix } from "../../support/grpc/grpc-wire.ts";
import type { Attack, Field } from "../attack-case.ts";
import { openCalls, pourCalls, pourFragments } from "../wire/grpc-calls.ts";
import { SMALL_REQUEST } from "../wire/payloads.ts";

const MIB = 1024 * 1024;
/** The prefix of the largest message that is accepted. */
const PREFIX = messagePrefix(4 * MIB);

export function pourOneByteFrames(field: Field, connections: number): Promise<void> {
  return pourFragments(field, { connections, streams: 100, prefix: PREFIX, frameBytes: 1 });
}

export const GRPC_FRAMES: readonly Attack[] = [
  {
    name: "grpc-pipelined-unread",
    does: "2 connections pipeline valid small calls, and never read an answer",
    expected: "holds",
    run: (field) =>
      pourCalls(field, {
        connections: 2,
        openCalls: Number.MAX_SAFE_INTEGER,
        message: SMALL_REQUEST,
        reads: false,
      }),
  },
  {
    name: "grpc-pipelined-read",
    does: "2 connections pipeline valid small calls, 100 at a time, and read the answers",
    expected: "holds",
    run: (field) => pourCalls(field, { connections: 2, openCalls: 100, message: SMALL_REQUEST }),
  },
  ...[1, 2, 64].map((connections): Attack => ({
    name: `grpc-one-byte-frames-${connections}`,
    does: `DATA frames of one byte, on 100 streams of ${connections} connection(s)`,
    expected: "holds",
    run: (field) => pourOneByteFrames(field, field.size(connections, Math.min(4, connections))),
  })),
  {
    name: "grpc-empty-frames",
    does: "4 connections send empty DATA frames on 100 streams, without end",
    expected: "holds",
    run: (field) =>
      pourFragments(field, { connections: 4, streams: 100, prefix: PREFIX, frameBytes: 0 }),
  },
  {
    name: "grpc-unfinished-messages",
    does: "4 connections with 100 streams, each with a message of 4 MiB that never ends",
    expected: "holds",
    run: (field) =>
      pourFragments(field, { connections: 4, streams: 100, prefix: PREFIX, frameBytes: 16_384 }),
  },
  {
    name: "grpc-unfinished-prefixes",
    does: "200 connections of the good clients' address send 3 bytes of a prefix, and answer pings",
    expected: "holds",
    run: (field) =>
      openCalls(field, {
        connections: field.size(200, 200),
        streams: 1,
        data: Buffer.alloc(3),
        sharesAddress: true,
      }),
  },
];
