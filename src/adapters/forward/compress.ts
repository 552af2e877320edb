import { promisify } from "node:util";
import { constants, gzip, type ZlibOptions, zstdCompress, type ZstdOptions } from "node:zlib";

export type HttpCompression = "none" | "gzip" | "zstd";

/** The compressed bytes come in chunks of this size, each of which interrupts this thread. */
const chunkSize = 64 * 1024;

/**
 * The fastest level: it already removes the repetition between the spans of a batch, and leaves
 * more processor time for receiving.
 */
export const FASTEST: { readonly gzip: ZlibOptions; readonly zstd: ZstdOptions } = {
  gzip: { chunkSize, level: constants.Z_BEST_SPEED },
  zstd: { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } },
};

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

/** Compresses in another thread, at the fastest level. */
export async function compress(
  bytes: Uint8Array<ArrayBuffer>,
  compression: HttpCompression,
): Promise<Uint8Array<ArrayBuffer>> {
  switch (compression) {
    case "gzip":
      return await gzipAsync(bytes, FASTEST.gzip);
    case "zstd":
      return await zstdAsync(bytes, FASTEST.zstd);
    case "none":
      return bytes;
  }
}
