import { Buffer } from "node:buffer";
import type { Transform } from "node:stream";
import { createGzip, createZstdCompress, gzipSync } from "node:zlib";
import { FASTEST } from "./compress.ts";
import type { KafkaClient } from "./kafka-client.js";

/** Lets the client compress at the fastest level, for which it has no option. */
export function compressFast({ compressionsAlgorithms, joinSmallChunks }: CompressingClient): void {
  const { gzip, zstd } = compressionsAlgorithms;
  gzip.compress = ({ buffers }) => {
    return compressChunks(createGzip(FASTEST.gzip), joinSmallChunks(buffers));
  };
  zstd.compress = ({ buffers }) => {
    return compressChunks(createZstdCompress(FASTEST.zstd), joinSmallChunks(buffers));
  };
  // Brokers before Apache Kafka 2.1 get their batches from a path that does not use the threads.
  // They know no zstd.
  gzip.compressSync = (bytes) => gzipSync(bytes, FASTEST.gzip);
}

type CompressingClient = Pick<KafkaClient, "compressionsAlgorithms" | "joinSmallChunks">;

/** Compresses in another thread. To join large chunks would take longer than all the rest here. */
async function compressChunks(stream: Transform, chunks: Iterable<Buffer>): Promise<Buffer> {
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>));
}
