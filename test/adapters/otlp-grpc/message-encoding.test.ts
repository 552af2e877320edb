import { describe, expect, test } from "bun:test";
import { Metadata } from "@grpc/grpc-js";
import type { IncomingHttpHeaders } from "node:http2";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import {
  plainMessage,
  smallMessage,
  takeEncoding,
  emptyPrefix,
  readPrefix,
} from "../../../src/adapters/otlp-grpc/message-encoding.ts";
import { gzipBomb } from "../../support/grpc/grpc-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";

const MAX_BYTES = 100_000;
const TEXT = Buffer.from("some spans ".repeat(1000));

interface Sent {
  readonly body: Uint8Array;
  /** Compressed, if nothing else is said. */
  readonly flag?: number;
  readonly encoding?: string | undefined;
}

/** As a call arrives: its message behind its prefix, its headers past `takeEncoding`. */
function callOf({ body, flag = 1, encoding }: Sent) {
  const headers = encoding === undefined ? {} : { "grpc-encoding": encoding };
  takeEncoding(headers);
  const metadata = Metadata.fromHttp2Headers(headers);
  return { request: grpcMessage(body, flag).subarray(5), metadata };
}

function plainOf(sent: Sent) {
  return plainMessage(callOf(sent), MAX_BYTES);
}

test.each([
  { encoding: "gzip", left: undefined },
  { encoding: "deflate", left: undefined },
  { encoding: "zstd", left: undefined },
  { encoding: "br", left: undefined },
  { encoding: "identity", left: "identity" },
])("grpc-js is left with nothing to decompress: $encoding", ({ encoding, left }) => {
  const headers: IncomingHttpHeaders = { "grpc-encoding": encoding };

  takeEncoding(headers);

  expect(headers["grpc-encoding"]).toBe(left);
});

describe("a message comes out plain", () => {
  test.each([
    { name: "gzip", body: gzipSync(TEXT), encoding: "gzip" },
    { name: "deflate", body: deflateSync(TEXT), encoding: "deflate" },
    { name: "zstd", body: zstdCompressSync(TEXT), encoding: "zstd" },
    { name: "not compressed at all", body: TEXT, flag: 0 },
    { name: "not compressed, and says so", body: TEXT, flag: 0, encoding: "identity" },
    { name: "not compressed on a stream that says gzip", body: TEXT, flag: 0, encoding: "gzip" },
    { name: "not compressed on a stream that says zstd", body: TEXT, flag: 0, encoding: "zstd" },
    { name: "not compressed on a stream that says br", body: TEXT, flag: 0, encoding: "br" },
  ])("$name", (sent) => {
    expect(plainOf(sent)).toEqual({ outcome: "plain", bytes: TEXT, garbageBytes: 0 });
  });

  test.each([undefined, "gzip", "deflate"])(
    "as it is when it looks like gzip and its flag says it is not: %p",
    (encoding) => {
      const body = gzipSync(TEXT);

      expect(plainOf({ body, flag: 0, encoding })).toMatchObject({ outcome: "plain", bytes: body });
    },
  );

  test("empty, and still after a prefix that is read", () => {
    const request = messagePrefix(0, 1).subarray(5);
    const metadata = new Metadata();

    expect(plainOf({ body: Buffer.alloc(0), flag: 0 })).toMatchObject({ outcome: "plain" });
    expect(plainMessage({ request, metadata }, 1).outcome).toBe("malformed_frame");
  });
});

describe("the compressed flag", () => {
  test.each([
    { name: "without an encoding", flag: 1, encoding: undefined },
    { name: "with the encoding of what is not compressed", flag: 1, encoding: "identity" },
  ])("$name is a malformed frame", (sent) => {
    const message = "the message is compressed, but grpc-encoding does not say how";

    expect(plainOf({ body: TEXT, ...sent })).toEqual({
      outcome: "malformed_frame",
      message,
      garbageBytes: 0,
    });
  });

  test.each([2, 3, 128, 255])("with the value %d is a malformed frame", (flag) => {
    expect(plainOf({ body: gzipSync(TEXT), flag, encoding: "gzip" })).toMatchObject({
      outcome: "malformed_frame",
      message: `the compressed flag of the message is ${flag}, not 0 or 1`,
    });
  });

  test.each(["br", "snappy", "GZIP", "gzip, gzip", ""])(
    "with the encoding %p is not supported, and the sender is told which are",
    (encoding) => {
      expect(plainOf({ body: TEXT, encoding })).toMatchObject({
        outcome: "unsupported_encoding",
        message: "grpc-encoding must be one of identity, gzip, deflate, zstd",
      });
    },
  );
});

describe("a message that cannot come out plain", () => {
  const whole = gzipSync(TEXT);
  const broken = Buffer.from(whole);
  broken.writeUInt8(broken.readUInt8(40) ^ 0xff, 40);

  test.each([
    { name: "cut short", body: whole.subarray(0, 40) },
    { name: "only a header", body: whole.subarray(0, 10) },
    { name: "one byte of a header", body: whole.subarray(0, 1) },
    { name: "with a flipped byte", body: broken },
    { name: "that is no gzip", body: TEXT },
    { name: "of no bytes", body: Buffer.alloc(0) },
  ])("$name is malformed", ({ body }) => {
    expect(plainOf({ body, encoding: "gzip" }).outcome).toBe("malformed");
  });

  test("zlib data with a wrong checksum is malformed", () => {
    const body = deflateSync(TEXT);
    body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);

    expect(plainOf({ body, encoding: "deflate" }).outcome).toBe("malformed");
  });
});

describe("where only a few bytes are expected", () => {
  // A member whose header holds a name, as long as its maker likes: flag 8, up to a zero byte.
  const named = gzipSync(Buffer.alloc(0));
  named.writeUInt8(8, 3);
  const longName = Buffer.concat([named.subarray(0, 10), Buffer.alloc(99, "n"), Buffer.alloc(11)]);

  test.each([
    { name: "as many as that come out", body: Buffer.alloc(24, 1), flag: 0, outcome: "plain" },
    { name: "one more does not", body: Buffer.alloc(25, 1), flag: 0, outcome: "malformed" },
    { name: "nor does what becomes more", body: gzipBomb(30), flag: 1, outcome: "malformed" },
    {
      name: "nor does a long gzip header with nothing in it",
      body: longName,
      outcome: "malformed",
    },
    { name: "nor does what is no gzip", body: Buffer.of(0x1f, 0x8b, 9), outcome: "malformed" },
    { name: "nor does a flag of 2", body: Buffer.alloc(20), flag: 2, outcome: "malformed_frame" },
  ])("$name", ({ outcome, ...sent }) => {
    const small = smallMessage(callOf({ encoding: "gzip", ...sent }), 24);

    expect(small.outcome).toBe(outcome as "plain");
  });
});

describe("the garbage of zlib is reported", () => {
  const long = Buffer.alloc(90_000, "some spans ");
  // Two members, of which the last says how long it was alone.
  const members = Buffer.concat([gzipSync(long), gzipSync(Buffer.of(7))]);
  const lie = gzipSync(long);
  lie.writeUInt32LE(1, lie.length - 4);

  test.each([
    { name: "nothing, where the length is known", request: gzipSync(long), garbageBytes: 0 },
    { name: "all of it, where it came in pieces", request: members, garbageBytes: 90_001 },
    {
      name: "the most it can be, where the length is a lie",
      request: lie,
      garbageBytes: MAX_BYTES,
    },
    { name: "the most it can be, of a bomb", request: gzipBomb(10 ** 7), garbageBytes: MAX_BYTES },
  ])("$name", ({ request, garbageBytes }) => {
    const told = plainOf({ body: request, encoding: "gzip" }).garbageBytes;

    expect(told).toBeGreaterThanOrEqual(garbageBytes);
    expect(told).toBeLessThanOrEqual(garbageBytes + 1);
  });

  test("a message whose length is known is alone in its buffer, as long as that is", () => {
    const plain = plainOf({ body: gzipSync(long), encoding: "gzip" });
    const { bytes } = plain as { bytes: Uint8Array };

    expect(bytes.buffer.byteLength).toBe(long.length + 1);
  });
});

describe("the limit after decompression", () => {
  test.each([
    { lengthBytes: MAX_BYTES, outcome: "plain" },
    { lengthBytes: MAX_BYTES + 1, outcome: "too_large" },
    { lengthBytes: 64 * 1024 * 1024, outcome: "too_large" },
  ])("$lengthBytes bytes of zeros: $outcome", ({ lengthBytes, outcome }) => {
    const plain = plainOf({ body: gzipBomb(lengthBytes), encoding: "gzip" });

    expect(plain.outcome).toBe(outcome as "plain");
  });
});

const LENGTH = 0xfedcba98;
const BEGUN = Buffer.concat([messagePrefix(LENGTH, 1), Buffer.of(7, 7, 7)]);

/** The length, where it is said; undefined after a piece that does not say it. */
function readAll(pieces: readonly Uint8Array[]): (number | undefined)[] {
  const prefix = emptyPrefix();
  return pieces.map((piece) => (readPrefix(prefix, piece) ? prefix.lengthBytes : undefined));
}

describe("the length of a message is reported by the piece that completes its prefix", () => {
  test.each([
    { name: "all in one piece", cuts: [0, 8], said: [LENGTH] },
    { name: "just the prefix", cuts: [0, 5, 8], said: [LENGTH, undefined] },
    { name: "cut in the middle", cuts: [0, 3, 8], said: [undefined, LENGTH] },
    {
      name: "byte by byte",
      cuts: [0, 1, 2, 3, 4, 5, 6],
      said: [undefined, undefined, undefined, undefined, LENGTH, undefined],
    },
    { name: "behind a piece of nothing", cuts: [0, 0, 8], said: [undefined, LENGTH] },
  ])("$name", ({ cuts, said }) => {
    const pieces = cuts.slice(1).map((end, at) => BEGUN.subarray(cuts[at], end));

    expect<readonly (number | undefined)[]>(readAll(pieces)).toEqual(said);
  });

  test("a message without bytes has the length 0", () => {
    expect(readAll([messagePrefix(0)])).toEqual([0]);
  });
});
