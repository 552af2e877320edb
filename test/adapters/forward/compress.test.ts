import { expect, test } from "bun:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { compress } from "../../../src/adapters/forward/http-sink.ts";
import { serverRequest } from "../../support/requests/request-bytes.ts";

const REQUEST = serverRequest(500);

test.each([
  { compression: "gzip", undo: gunzipSync },
  { compression: "zstd", undo: zstdDecompressSync },
] as const)("$compression makes less of a request, and all of it again", async (parts) => {
  const compressed = await compress(REQUEST, parts.compression);

  expect(compressed.length).toBeLessThan(REQUEST.length / 5);
  expect(parts.undo(compressed).equals(REQUEST)).toBe(true);
});

test("none leaves a request as it is", async () => {
  expect(await compress(REQUEST, "none")).toBe(REQUEST);
});
