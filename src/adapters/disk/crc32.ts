import { crc32 as zlibCrc32 } from "node:zlib";
import type { Checksum } from "../../ports/disk.ts";

/**
 * CRC-32 (IEEE 802.3) as zlib computes it: native here, 7 to 14 GB/s, against 1.2 GB/s for CRC-32C
 * in JavaScript. Both find every burst of up to 32 bits.
 */
export const crc32: Checksum = (bytes, before) => zlibCrc32(bytes, before);
