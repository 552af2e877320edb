const MIN_ROOM_BYTES = 16 * 1024;

/**
 * Collects pieces in one buffer, so that many small pieces take no more memory than a few large
 * ones. (A separate piece costs about 400 bytes in addition to its own.)
 *
 * Invariant: length <= capacity <= max(reserved, 1.25 x length + 16 KiB).
 */
export class GrowingBytes {
  // Moved by `append`, `reserve` and `release`.
  private buffer = new ArrayBuffer(0);
  length = 0;

  /** Copies the piece. Returns by how many bytes the buffer has grown. */
  append(piece: Uint8Array): number {
    const grownBytes = this.makeRoom(this.length + piece.length);
    new Uint8Array(this.buffer).set(piece, this.length);
    this.length += piece.length;
    return grownBytes;
  }

  /**
   * Makes room for a length that is known in advance: a buffer that grows step by step is copied
   * each time, and takes twice its memory meanwhile. Returns by how many bytes it has grown.
   */
  reserve(lengthBytes: number): number {
    return lengthBytes <= this.buffer.byteLength ? 0 : this.resize(lengthBytes);
  }

  /** A view that is valid until the next `append` or `release`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, 0, this.length);
  }

  /** Frees the memory at once. */
  release(): void {
    this.buffer.transfer(0);
    this.buffer = new ArrayBuffer(0);
    this.length = 0;
  }

  private makeRoom(lengthBytes: number): number {
    return lengthBytes <= this.buffer.byteLength ? 0 : this.resize(capacityFor(lengthBytes));
  }

  private resize(capacityBytes: number): number {
    const before = this.buffer.byteLength;
    this.buffer = this.buffer.transfer(capacityBytes);
    return capacityBytes - before;
  }
}

function capacityFor(lengthBytes: number): number {
  return Math.ceil(lengthBytes * 1.25) + MIN_ROOM_BYTES;
}
