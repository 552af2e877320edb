import { describe, expect, test } from "bun:test";
import { Metadata } from "@grpc/grpc-js";
import type { IncomingHttpHeaders } from "node:http2";
import { deflateSync, gzipSync } from "node:zlib";
import {
  isEncodingRefused,
  plainMessage,
  smallMessage,
  takeEncoding,
} from "../../../src/adapters/grpc/message-encoding.ts";
import { gzipBomb } from "../../support/grpc-call.ts";

const MAX_BYTES = 100_000;
const TEXT = Buffer.from("some spans ".repeat(1000));

/** As a call arrives: its headers have passed `takeEncoding`, and became metadata. */
function plainOf(request: Buffer, encoding?: string) {
  const headers = encoding === undefined ? {} : { "grpc-encoding": encoding };
  takeEncoding(headers);
  return plainMessage({ request, metadata: Metadata.fromHttp2Headers(headers) }, MAX_BYTES);
}

describe("what grpc-js is left to do", () => {
  test.each([
    { encoding: "gzip", left: undefined, isRefused: false },
    { encoding: "deflate", left: undefined, isRefused: false },
    { encoding: "identity", left: "identity", isRefused: false },
    { encoding: "br", left: "br", isRefused: true },
  ])("$encoding: $left, refused: $isRefused", ({ encoding, left, isRefused }) => {
    const headers: IncomingHttpHeaders = { "grpc-encoding": encoding };

    takeEncoding(headers);

    expect(headers["grpc-encoding"]).toBe(left);
    expect(isEncodingRefused(headers)).toBe(isRefused);
  });
});

describe("a message comes out plain", () => {
  test.each([
    { name: "gzip", request: gzipSync(TEXT), encoding: "gzip" },
    { name: "deflate", request: deflateSync(TEXT), encoding: "deflate" },
    { name: "not compressed at all", request: TEXT, encoding: undefined },
    { name: "not compressed on a stream that says gzip", request: TEXT, encoding: "gzip" },
    { name: "not compressed on a stream that says deflate", request: TEXT, encoding: "deflate" },
  ])("$name", ({ request, encoding }) => {
    const plain = plainOf(request, encoding);

    expect(plain).toEqual({ outcome: "plain", bytes: TEXT, garbageBytes: 0 });
  });

  test.each([
    { name: "empty, on a stream that says gzip", request: Buffer.alloc(0) },
    { name: "one byte of a gzip header", request: Buffer.of(0x1f) },
  ])("$name", ({ request }) => {
    expect(plainOf(request, "gzip")).toMatchObject({ outcome: "plain", bytes: request });
  });

  test("as it is when it looks like gzip and nobody said so", () => {
    const request = gzipSync(TEXT);

    expect(plainOf(request)).toMatchObject({ outcome: "plain", bytes: request });
  });

  test("as it is when it looks like gzip and the stream says deflate", () => {
    const request = gzipSync(TEXT);

    expect(plainOf(request, "deflate")).toMatchObject({ outcome: "plain", bytes: request });
  });
});

describe("a message that cannot come out plain", () => {
  const whole = gzipSync(TEXT);
  const broken = Buffer.from(whole);
  broken.writeUInt8(broken.readUInt8(40) ^ 0xff, 40);

  test.each([
    { name: "cut short", request: whole.subarray(0, 40) },
    { name: "only a header", request: whole.subarray(0, 10) },
    { name: "with a flipped byte", request: broken },
  ])("$name is malformed", ({ request }) => {
    expect(plainOf(request, "gzip").outcome).toBe("malformed");
  });

  test("zlib data with a wrong checksum is malformed", () => {
    const request = deflateSync(TEXT);
    request.writeUInt8(request.readUInt8(request.length - 1) ^ 1, request.length - 1);

    expect(plainOf(request, "deflate").outcome).toBe("malformed");
  });
});

describe("where only a few bytes are expected", () => {
  // A member whose header holds a name, as long as its maker likes: flag 8, up to a zero byte.
  const named = gzipSync(Buffer.alloc(0));
  named.writeUInt8(8, 3);
  const longName = Buffer.concat([named.subarray(0, 10), Buffer.alloc(99, "n"), Buffer.alloc(11)]);

  test.each([
    { name: "as many as that come out", request: Buffer.alloc(20, 1), length: 20 },
    { name: "one more does not", request: Buffer.alloc(21, 1), length: undefined },
    {
      name: "nor does a long gzip header with nothing in it",
      request: longName,
      length: undefined,
    },
    { name: "nor does what is no gzip", request: Buffer.of(0x1f, 0x8b, 9), length: undefined },
  ])("$name", ({ request, length }) => {
    const metadata = Metadata.fromHttp2Headers({ "spanring-message-encoding": "gzip" });

    expect(smallMessage({ request, metadata }, 20)?.length).toBe(length);
  });
});

describe("what zlib leaves to the collector is told", () => {
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
    const told = plainOf(request, "gzip").garbageBytes;

    expect(told).toBeGreaterThanOrEqual(garbageBytes);
    expect(told).toBeLessThanOrEqual(garbageBytes + 1);
  });

  test("a message whose length is known is alone in its buffer, as long as that is", () => {
    const { bytes } = plainOf(gzipSync(long), "gzip") as { bytes: Uint8Array };

    expect(bytes.buffer.byteLength).toBe(long.length + 1);
  });
});

describe("the limit after decompression", () => {
  test.each([
    { lengthBytes: MAX_BYTES, outcome: "plain" },
    { lengthBytes: MAX_BYTES + 1, outcome: "too_large" },
    { lengthBytes: 64 * 1024 * 1024, outcome: "too_large" },
  ])("$lengthBytes bytes of zeros: $outcome", ({ lengthBytes, outcome }) => {
    expect(plainOf(gzipBomb(lengthBytes), "gzip").outcome).toBe(outcome as "plain");
  });
});
