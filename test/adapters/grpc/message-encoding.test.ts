import { describe, expect, test } from "bun:test";
import { Metadata } from "@grpc/grpc-js";
import type { IncomingHttpHeaders } from "node:http2";
import { deflateSync, gzipSync } from "node:zlib";
import { plainMessage, takeEncoding } from "../../../src/adapters/grpc/message-encoding.ts";
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
    { encoding: "gzip", left: undefined },
    { encoding: "deflate", left: undefined },
    { encoding: "identity", left: "identity" },
    { encoding: "br", left: "br" },
  ])("$encoding: $left", ({ encoding, left }) => {
    const headers: IncomingHttpHeaders = { "grpc-encoding": encoding };

    takeEncoding(headers);

    expect(headers["grpc-encoding"]).toBe(left);
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

    expect(plain).toEqual({ outcome: "plain", bytes: TEXT });
  });

  test.each([
    { name: "empty, on a stream that says gzip", request: Buffer.alloc(0) },
    { name: "one byte of a gzip header", request: Buffer.of(0x1f) },
  ])("$name", ({ request }) => {
    expect(plainOf(request, "gzip")).toEqual({ outcome: "plain", bytes: request });
  });

  test("as it is when it looks like gzip and nobody said so", () => {
    const request = gzipSync(TEXT);

    expect(plainOf(request)).toEqual({ outcome: "plain", bytes: request });
  });

  test("as it is when it looks like gzip and the stream says deflate", () => {
    const request = gzipSync(TEXT);

    expect(plainOf(request, "deflate")).toEqual({ outcome: "plain", bytes: request });
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

describe("the limit after decompression", () => {
  test.each([
    { lengthBytes: MAX_BYTES, outcome: "plain" },
    { lengthBytes: MAX_BYTES + 1, outcome: "too_large" },
    { lengthBytes: 64 * 1024 * 1024, outcome: "too_large" },
  ])("$lengthBytes bytes of zeros: $outcome", ({ lengthBytes, outcome }) => {
    expect(plainOf(gzipBomb(lengthBytes), "gzip").outcome).toBe(outcome as "plain");
  });
});
