/** Below this the collector is quick enough, and a call costs more than it saves. */
const LEAST_BYTES = 4096;

/**
 * Gives the memory of bytes that nobody reads any more back at once, instead of at the next garbage
 * collection. At a million spans a second, the pieces and messages of a tenth of a second are more
 * memory than the ring; and what is free again at once is still in the processor's cache.
 *
 * Afterwards every view of the same memory is empty. So it is only for bytes that fill an
 * `ArrayBuffer` of their own, but for a prefix; of any other nothing is released.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, length } = bytes;
  if (length < LEAST_BYTES || buffer.byteLength - length > MOST_PREFIX_BYTES) return;
  // Moves the contents into a buffer of no length, which is how JavaScript spells `free`.
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** grpc-js hands out a message as a view behind its prefix. */
const MOST_PREFIX_BYTES = 5;
