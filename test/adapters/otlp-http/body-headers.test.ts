import { expect, test } from "bun:test";
import { bodyFormat, contentCoding } from "../../../src/adapters/otlp-http/body-headers.ts";

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
