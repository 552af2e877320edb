import { constants, gzip, zstdCompress } from "node:zlib";
import { promisify } from "node:util";

export type HttpCompression = "none" | "gzip" | "zstd";

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

/**
 * In another thread, and at the quickest level: what the spans of a batch repeat is found at any
 * level, and the thread that receives has the rest of the machine to itself.
 */
export async function compress(
  bytes: Uint8Array<ArrayBuffer>,
  compression: HttpCompression,
): Promise<Uint8Array<ArrayBuffer>> {
  switch (compression) {
    case "gzip":
      return await gzipAsync(bytes, { level: constants.Z_BEST_SPEED });
    case "zstd":
      return await zstdAsync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    case "none":
      return bytes;
  }
}
