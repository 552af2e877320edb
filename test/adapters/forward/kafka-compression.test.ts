import { expect, test } from "bun:test";
import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import * as client from "../../../src/adapters/forward/kafka-client.js";
import { compressFast } from "../../../src/adapters/forward/kafka-compression.ts";
import { KafkaSink } from "../../../src/adapters/forward/kafka-sink.ts";
import { serverRequest } from "../../support/requests/request-bytes.ts";
import { kafkaParts } from "../../support/upstreams/kafka-sink-upstream.ts";
import { never } from "../../support/requests/span-batch.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";

const REQUEST = serverRequest(500);
const BYTES = Buffer.from(REQUEST);

/** Where gzip says at which level it has compressed. */
const LEVEL_OFFSET = 8;
const [DEFAULT, FASTEST_GZIP] = [0, 4];

test("the client compresses at the fastest level, as it is for OTLP/HTTP", async () => {
  compressFast(client);

  const { gzip, zstd } = client.compressionsAlgorithms;
  const chunks = { buffers: [BYTES.subarray(0, 9), BYTES.subarray(9)] };
  const zipped = [gzipSync(BYTES), gzip.compressSync(BYTES), await gzip.compress!(chunks)];
  expect(zipped.map((bytes) => bytes[LEVEL_OFFSET])).toEqual([DEFAULT, FASTEST_GZIP, FASTEST_GZIP]);
  expect(zipped.map((bytes) => gunzipSync(bytes).equals(BYTES))).toEqual([true, true, true]);

  const fastest = await zstd.compress!(chunks);
  expect(zstdDecompressSync(fastest).equals(BYTES)).toBeTrue();
  expect(fastest.length).toBeGreaterThan(zstdCompressSync(BYTES).length);
});

test.each([
  { compression: "gzip", name: "compress" },
  { compression: "zstd", name: "compress" },
] as const)("$name() of the table compresses batches with $compression", async (each) => {
  const broker = await startKafkaBroker({ discards: true });
  const algorithm = client.compressionsAlgorithms[each.compression];
  const original = algorithm[each.name]! as (bytes: unknown) => unknown;
  let compressed = 0;
  const counted = (bytes: unknown) => {
    compressed += 1;
    return original(bytes);
  };
  Object.assign(algorithm, { [each.name]: counted });
  const sink = new KafkaSink({ ...kafkaParts(broker.port), compression: each.compression });

  await sink.send({ request: REQUEST, spanCount: 500 }, never);

  Object.assign(algorithm, { [each.name]: original });
  await sink.close();
  await broker.stop();
  expect(compressed).toBe(1);
});
