import { gunzipSync } from "node:zlib";
import { expect, test } from "bun:test";
import { compressionAlgorithms } from "@grpc/grpc-js";
import { CompressionFilter } from "@grpc/grpc-js/build/src/compression-filter.js";
import { compress } from "../../../src/adapters/forward/compress.ts";
import { compressFast } from "../../../src/adapters/forward/grpc-compression.ts";
import { serverRequestShape } from "../../bench/request-corpus.ts";

const PREFIX_BYTES = 5;

async function framed(message: Buffer): Promise<Buffer> {
  const options = { "grpc.default_compression_algorithm": compressionAlgorithms.gzip };
  const filter = new CompressionFilter(options, {});
  return (await filter.sendMessage(Promise.resolve({ message }))).message;
}

test("grpc-js frames messages that are compressed at the fastest level", async () => {
  compressFast();
  const message = Buffer.from(serverRequestShape(512).bytes);
  const frame = await framed(message);
  const compressed = frame.subarray(PREFIX_BYTES);

  expect(frame[0]).toBe(1);
  expect(frame.readUInt32BE(1)).toBe(compressed.length);
  expect(compressed.equals(await compress(message, "gzip"))).toBe(true);
  expect(gunzipSync(compressed).equals(message)).toBe(true);
});
