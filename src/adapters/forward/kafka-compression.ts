import { gzipSync, zstdCompressSync } from "node:zlib";
import { compress, FASTEST } from "./compress.ts";
import type { KafkaClient } from "./kafka-client.js";

/** Lets the client compress at the fastest level, for which it has no option. */
export function compressFast({ compressionsAlgorithms }: CompressingClient): void {
  const { gzip, zstd } = compressionsAlgorithms;
  gzip.compress = (bytes) => compress(bytes, "gzip");
  // Brokers before Apache Kafka 2.1 get their batches from a path that does not use the threads.
  gzip.compressSync = (bytes) => gzipSync(bytes, FASTEST.gzip);
  zstd.compressSync = (bytes) => zstdCompressSync(bytes, FASTEST.zstd);
}

type CompressingClient = Pick<KafkaClient, "compressionsAlgorithms">;
