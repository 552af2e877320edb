import { expect, test } from "bun:test";
import {
  bodyFormat,
  contentCoding,
  GrowingBytes,
} from "../../../src/adapters/otlp-http/request-body.ts";

test.each([
  ["application/x-protobuf", "protobuf"],
  ["application/json", "json"],
  ["application/json; charset=utf-8", "json"],
  ["Application/X-Protobuf", "protobuf"],
  [" application/json ;q=1", "json"],
  ["application/protobuf", undefined],
  ["application/jsonx", undefined],
  ["text/plain", undefined],
  ["application/json, application/x-protobuf", undefined],
  ["", undefined],
  [null, undefined],
])("a body of type %p is %p", (contentType, format) => {
  expect(bodyFormat(contentType)).toBe(format as "json");
});

test.each([
  [null, "identity"],
  ["", "identity"],
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["x-gzip", "gzip"],
  [" zstd ", "zstd"],
  ["deflate", "deflate"],
  ["Deflate", "deflate"],
  ["br", undefined],
  ["gzip, deflate", undefined],
  ["gzip, gzip", undefined],
  ["gzip, zstd", undefined],
  ["identity, br", undefined],
])("a body encoded as %p is %p", (contentEncoding, coding) => {
  expect(contentCoding(contentEncoding)).toBe(coding as "gzip");
});

const pieces = [3, 0, 1, 20_000, 5, 70_000, 1].map((length, at) =>
  new Uint8Array(length).fill(at + 1),
);

test("the pieces come out in order, as one", () => {
  const gathered = new GrowingBytes();

  for (const piece of pieces) gathered.append(piece);

  expect(gathered.length).toBe(90_010);
  expect(Buffer.from(gathered.bytes)).toEqual(Buffer.concat(pieces));
});

test("no piece is aliased", () => {
  const gathered = new GrowingBytes();
  const piece = Uint8Array.of(1, 2, 3);

  gathered.append(piece);
  piece.fill(9);

  expect([...gathered.bytes]).toEqual([1, 2, 3]);
});

test("the growth that it reports is all its memory, and never much more than needed", () => {
  const gathered = new GrowingBytes();
  let capacity = 0;

  for (let byte = 0; byte < 100_000; byte += 1) {
    capacity += gathered.append(Uint8Array.of(byte));
    if (byte % 1000 === 0) expect(capacity).toBeLessThan(1.25 * gathered.length + 16_400);
  }

  expect(capacity).toBe(gathered.bytes.buffer.byteLength);
  expect(gathered.bytes.at(-1)).toBe(99_999 & 0xff);
});

test("memory that is released is gone, and it begins anew", () => {
  const gathered = new GrowingBytes();
  gathered.append(new Uint8Array(50_000));
  const view = gathered.bytes;

  gathered.release();
  gathered.append(Uint8Array.of(7));

  expect(view).toHaveLength(0);
  expect([...gathered.bytes]).toEqual([7]);
});
