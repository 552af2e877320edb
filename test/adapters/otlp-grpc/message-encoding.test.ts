import { DECODER_BYTES } from "../../../src/adapters/otlp/inflate.ts";
import { describe, expect, test } from "bun:test";
import { Metadata } from "@grpc/grpc-js";
import type { IncomingHttpHeaders } from "node:http2";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import {
  encodingOf,
  libraryMessage,
  plainMessage,
  smallMessage,
  takeEncoding,
} from "../../../src/adapters/otlp-grpc/message-encoding.ts";
import { gzipBomb } from "../../support/grpc/grpc-call.ts";
import { grpcMessage, messagePrefix } from "../../support/grpc/grpc-wire.ts";

const MAX_BYTES = 100_000;
const TEXT = Buffer.from("some spans ".repeat(1000));

interface SentMessage {
  readonly body: Uint8Array;
  /** The compressed flag; 1 by default. */
  readonly flag?: number;
  readonly encoding?: string | undefined;
}

function messageOf({ body, flag = 1, encoding }: SentMessage) {
  return { flag, encoding, bytes: Buffer.from(body) };
}

function plainOf(sent: SentMessage) {
  return plainMessage(messageOf(sent), MAX_BYTES);
}

test.each([
  { encoding: "gzip", expected: undefined },
  { encoding: "deflate", expected: undefined },
  { encoding: "zstd", expected: undefined },
  { encoding: "br", expected: undefined },
  { encoding: "identity", expected: "identity" },
])(
  "grpc-js does not see an encoding that it would decompress: $encoding",
  ({ encoding, expected }) => {
    const headers: IncomingHttpHeaders = { "grpc-encoding": encoding };

    takeEncoding(headers);

    expect(headers["grpc-encoding"]).toBe(expected);
  },
);

test.each([
  { headers: {}, encoding: undefined },
  { headers: { "grpc-encoding": "" }, encoding: undefined },
  { headers: { "grpc-encoding": "identity" }, encoding: undefined },
  { headers: { "grpc-encoding": "zstd" }, encoding: "zstd" },
])("the encoding of a call with $headers is $encoding", ({ headers, encoding }) => {
  expect(encodingOf(headers)).toBe(encoding);
});

test.each([0, 1, 2])("a message from grpc-js has its flag of %d and its encoding", (flag) => {
  const headers = { "grpc-encoding": "gzip" };
  takeEncoding(headers);
  const metadata = Metadata.fromHttp2Headers(headers);
  // grpc-js passes on a view of the bytes after the prefix.
  const bytes = grpcMessage(TEXT, flag).subarray(5);

  expect(libraryMessage(bytes, metadata)).toEqual({ flag, encoding: "gzip", bytes: TEXT });
});

test("a message from grpc-js without an encoding has none", () => {
  const bytes = messagePrefix(0, 1).subarray(5);

  expect(libraryMessage(bytes, new Metadata())).toEqual({ flag: 1, encoding: undefined, bytes });
});

describe("the plain message is returned", () => {
  test.each([
    { name: "gzip", body: gzipSync(TEXT), encoding: "gzip" },
    { name: "deflate", body: deflateSync(TEXT), encoding: "deflate" },
    { name: "zstd", body: zstdCompressSync(TEXT), encoding: "zstd" },
    { name: "an uncompressed message", body: TEXT, flag: 0 },
    { name: "an uncompressed message with identity", body: TEXT, flag: 0, encoding: "identity" },
    {
      name: "an uncompressed message on a stream with gzip",
      body: TEXT,
      flag: 0,
      encoding: "gzip",
    },
    {
      name: "an uncompressed message on a stream with zstd",
      body: TEXT,
      flag: 0,
      encoding: "zstd",
    },
    { name: "an uncompressed message on a stream with br", body: TEXT, flag: 0, encoding: "br" },
  ])("for $name", (sent) => {
    const garbageBytes = sent.flag === 0 ? 0 : DECODER_BYTES;

    expect(plainOf(sent)).toEqual({ outcome: "plain", bytes: TEXT, garbageBytes });
  });

  test.each([undefined, "gzip", "deflate"])(
    "for data that looks like gzip if the flag is not set: %p",
    (encoding) => {
      const body = gzipSync(TEXT);

      expect(plainOf({ body, flag: 0, encoding })).toMatchObject({ outcome: "plain", bytes: body });
    },
  );

  test("for an empty message, whose flag is still checked", () => {
    const body = Buffer.alloc(0);

    expect(plainOf({ body, flag: 0 })).toMatchObject({ outcome: "plain" });
    expect(plainOf({ body, flag: 1 }).outcome).toBe("malformed_frame");
  });
});

describe("the compressed flag", () => {
  test.each([
    { name: "without an encoding", flag: 1, encoding: undefined },
    { name: "with identity", flag: 1, encoding: encodingOf({ "grpc-encoding": "identity" }) },
  ])("$name makes the frame malformed", (sent) => {
    const message = "the message is compressed, but grpc-encoding does not say how";

    expect(plainOf({ body: TEXT, ...sent })).toEqual({
      outcome: "malformed_frame",
      message,
      garbageBytes: 0,
    });
  });

  test.each([2, 3, 128, 255])("of %d makes the frame malformed", (flag) => {
    expect(plainOf({ body: gzipSync(TEXT), flag, encoding: "gzip" })).toMatchObject({
      outcome: "malformed_frame",
      message: `the compressed flag of the message is ${flag}, not 0 or 1`,
    });
  });

  test.each(["br", "snappy", "GZIP", "gzip, gzip", ""])(
    "with the unsupported encoding %p is refused, and the supported ones are listed",
    (encoding) => {
      expect(plainOf({ body: TEXT, encoding })).toMatchObject({
        outcome: "unsupported_encoding",
        message: "grpc-encoding must be one of identity, gzip, deflate, zstd",
      });
    },
  );
});

describe("an undecodable message", () => {
  const whole = gzipSync(TEXT);
  const broken = Buffer.from(whole);
  broken.writeUInt8(broken.readUInt8(40) ^ 0xff, 40);

  test.each([
    { name: "truncated", body: whole.subarray(0, 40) },
    { name: "that is only a gzip header", body: whole.subarray(0, 10) },
    { name: "of one byte of a gzip header", body: whole.subarray(0, 1) },
    { name: "with a flipped byte", body: broken },
    { name: "that is not gzip", body: TEXT },
    { name: "of no bytes", body: Buffer.alloc(0) },
  ])("$name is malformed", ({ body }) => {
    expect(plainOf({ body, encoding: "gzip" }).outcome).toBe("malformed");
  });

  test("of zlib data with a wrong checksum is malformed", () => {
    const body = deflateSync(TEXT);
    body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);

    expect(plainOf({ body, encoding: "deflate" }).outcome).toBe("malformed");
  });
});

describe("a small message", () => {
  // A member with a file name of any length in its header: flag 8, ended by a zero byte.
  const named = gzipSync(Buffer.alloc(0));
  named.writeUInt8(8, 3);
  const longName = Buffer.concat([named.subarray(0, 10), Buffer.alloc(99, "n"), Buffer.alloc(11)]);

  test.each([
    {
      name: "of exactly the limit is accepted",
      body: Buffer.alloc(24, 1),
      flag: 0,
      outcome: "plain",
    },
    {
      name: "of a byte more is malformed",
      body: Buffer.alloc(25, 1),
      flag: 0,
      outcome: "malformed",
    },
    {
      name: "that decompresses beyond the limit is malformed",
      body: gzipBomb(30),
      flag: 1,
      outcome: "malformed",
    },
    {
      name: "that is a long gzip header without data is malformed",
      body: longName,
      outcome: "malformed",
    },
    { name: "that is not gzip is malformed", body: Buffer.of(0x1f, 0x8b, 9), outcome: "malformed" },
    {
      name: "with a flag of 2 is a malformed frame",
      body: Buffer.alloc(20),
      flag: 2,
      outcome: "malformed_frame",
    },
  ])("$name", ({ outcome, ...sent }) => {
    const small = smallMessage(messageOf({ encoding: "gzip", ...sent }), 24);

    expect(small.outcome).toBe(outcome as "plain");
  });
});

describe("the reported garbage of zlib is that of its decoder, and", () => {
  const long = Buffer.alloc(90_000, "some spans ");
  // Two members, of which the last records only its own length.
  const members = Buffer.concat([gzipSync(long), gzipSync(Buffer.of(7))]);
  const lie = gzipSync(long);
  lie.writeUInt32LE(1, lie.length - 4);

  test.each([
    { name: "nothing else if the length is known", request: gzipSync(long), garbageBytes: 0 },
    {
      name: "the whole output if it was decompressed in pieces",
      request: members,
      garbageBytes: 90_001,
    },
    {
      name: "the maximum if the recorded length is wrong",
      request: lie,
      garbageBytes: MAX_BYTES,
    },
    { name: "the maximum for a bomb", request: gzipBomb(10 ** 7), garbageBytes: MAX_BYTES },
  ])("$name", ({ request, garbageBytes }) => {
    const reported = plainOf({ body: request, encoding: "gzip" }).garbageBytes;

    expect(reported).toBeGreaterThanOrEqual(DECODER_BYTES + garbageBytes);
    expect(reported).toBeLessThanOrEqual(DECODER_BYTES + garbageBytes + 1);
  });

  test("nothing else for a message of known length, which is alone in its buffer", () => {
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
  ])("accepts or refuses $lengthBytes zeros: $outcome", ({ lengthBytes, outcome }) => {
    const plain = plainOf({ body: gzipBomb(lengthBytes), encoding: "gzip" });

    expect(plain.outcome).toBe(outcome as "plain");
  });
});
