import type { Attack, Field } from "../attack-case.ts";
import { eachAnswered, http1Request, poured, unfinished } from "../wire/http1-talk.ts";
import { gzipped, jsonOfDeepValues } from "../wire/payloads.ts";
import { besiege } from "../wire/siege.ts";

const MIB = 1024 * 1024;
const PROTOBUF = { "Content-Type": "application/x-protobuf" };
const CHUNKED_HEAD = http1Request({ headers: { ...PROTOBUF, "Transfer-Encoding": "chunked" } });
/** 4,096 chunks of one byte. */
const ONE_BYTE_CHUNKS = Buffer.alloc(6 * 4096, "1\r\na\r\n");

export function pourOneByteChunks(field: Field, connections: number): Promise<void> {
  const talk = () => poured(CHUNKED_HEAD, ONE_BYTE_CHUNKS, field.tally);
  return besiege(field, { listener: "http", connections, talk });
}

export const HTTP_BODIES: readonly Attack[] = [
  {
    name: "http-one-byte-chunks",
    does: "4 connections send an HTTP body in chunks of one byte, as fast as they can",
    expected: "holds",
    run: (field) => pourOneByteChunks(field, field.size(4, 4)),
  },
  {
    name: "http-one-byte-chunks-64",
    does: "64 connections send an HTTP body in chunks of one byte",
    expected: "holds",
    run: (field) => pourOneByteChunks(field, field.size(64, 8)),
  },
  {
    name: "http-full-bodies",
    does: "64 connections send bodies of 20 MiB of zeros, repeatedly",
    expected: "holds",
    run: async (field) => {
      const head = http1Request({ headers: { ...PROTOBUF, "Content-Length": `${20 * MIB}` } });
      const talk = () => poured(head, Buffer.alloc(64 * 1024), field.tally);
      await besiege(field, { listener: "http", connections: field.size(64, 8), talk });
    },
  },
  {
    name: "http-half-bodies",
    does: "380 connections of two addresses send half a body, and then nothing",
    expected: "holds",
    run: async (field) => {
      const head = http1Request({ headers: { ...PROTOBUF, "Content-Length": `${MIB}` } });
      const half = Buffer.concat([head, Buffer.alloc(MIB / 2)]);
      const talk = () => unfinished(half, field.tally);
      await besiege(field, { listener: "http", connections: field.size(380, 60), talk });
    },
  },
  {
    name: "http-slow-heads",
    does: "380 connections of two addresses send half of a request's head, and then nothing",
    expected: "holds",
    run: async (field) => {
      const talk = () => unfinished(Buffer.from("POST /v1/traces HTTP/1.1\r\nHost: "), field.tally);
      await besiege(field, { listener: "http", connections: field.size(380, 60), talk });
    },
  },
  {
    name: "http-pipelined-requests",
    does: "8 connections pipeline requests with an unknown path, and read no answer",
    expected: "holds",
    run: async (field) => {
      const request = http1Request({ path: "/nowhere", body: Buffer.from("{}") });
      const many = Buffer.alloc(request.length * 256, request);
      const talk = () => poured(new Uint8Array(), many, field.tally);
      const siege = { listener: "http", reads: false, talk } as const;
      await besiege(field, { ...siege, connections: field.size(8, 4) });
    },
  },
  {
    name: "json-deep-values",
    does: "16 connections send gzip JSON with an attribute of 400,000 nested arrays",
    expected: "holds",
    run: async (field) => {
      const headers = { "Content-Type": "application/json", "Content-Encoding": "gzip" };
      const body = gzipped(jsonOfDeepValues(field.size(400_000, 40_000)));
      const talk = () => eachAnswered(http1Request({ headers, body }), field.tally);
      await besiege(field, { listener: "http", connections: field.size(16, 4), talk });
    },
  },
];
