/** Below this the collector is quick enough, and a call costs more than it saves. */
const MIN_BYTES = 4096;

/**
 * Gives the memory of bytes that nobody reads any more back at once, instead of at the next garbage
 * collection. At a million spans a second, the pieces and messages of a tenth of a second are more
 * memory than the ring; and what is free again at once is still in the processor's cache.
 *
 * Afterwards every view of the same memory is empty. So it is only for bytes that fill an
 * `ArrayBuffer` of their own, but for a prefix; of any other nothing is released.
 */
export function releaseBytes(bytes: Uint8Array): void {
  if (!isWorthIt(bytes)) return;
  const { buffer, length } = bytes;
  if (buffer.byteLength - length <= MAX_PREFIX_BYTES) free(buffer);
}

/** The same of a buffer that is ours alone, however much of it `bytes` shows. */
export function releaseOwnBuffer(bytes: Uint8Array): void {
  free(bytes.buffer);
}

/** Whether a caller should keep bytes for later release: small ones are left to the collector. */
export function isWorthIt({ length }: Uint8Array): boolean {
  return length >= MIN_BYTES;
}

/** Moves the contents into a buffer of no length, which is how JavaScript spells `free`. */
function free(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

/** grpc-js hands out a message as a view behind its prefix. */
const MAX_PREFIX_BYTES = 5;
