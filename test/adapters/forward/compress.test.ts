import { expect, test } from "bun:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { compress } from "../../../src/adapters/forward/compress.ts";
import { serverRequest } from "../../support/requests/request-bytes.ts";

const REQUEST = serverRequest(500);

test.each([
  { compression: "gzip", undo: gunzipSync },
  { compression: "zstd", undo: zstdDecompressSync },
] as const)("$compression compresses a request without loss", async (parts) => {
  const compressed = await compress(REQUEST, parts.compression);

  expect(compressed.length).toBeLessThan(REQUEST.length / 5);
  expect(parts.undo(compressed).equals(REQUEST)).toBe(true);
});

test("the compression none returns the request unchanged", async () => {
  expect(await compress(REQUEST, "none")).toBe(REQUEST);
});
