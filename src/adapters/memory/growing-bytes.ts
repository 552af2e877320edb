const MIN_ROOM_BYTES = 16 * 1024;

/**
 * Bytes that come piece by piece, gathered in one buffer, so that many small pieces take no more
 * memory than few large ones. (A piece that is kept costs about 400 bytes beside its own.)
 *
 * Invariant: length <= capacity <= 1.25 x length + 16 KiB.
 */
export class GrowingBytes {
  // Moved by `append` and `release`.
  private buffer = new ArrayBuffer(0);
  length = 0;

  /** The piece is copied. Returns by how many bytes the buffer has grown. */
  append(piece: Uint8Array): number {
    const grownBytes = this.makeRoom(this.length + piece.length);
    new Uint8Array(this.buffer).set(piece, this.length);
    this.length += piece.length;
    return grownBytes;
  }

  /** A view, until the next `append` or `release`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, 0, this.length);
  }

  /** Gives the memory back at once: nobody looks at it any more. */
  release(): void {
    this.buffer.transfer(0);
    this.buffer = new ArrayBuffer(0);
    this.length = 0;
  }

  private makeRoom(lengthBytes: number): number {
    const before = this.buffer.byteLength;
    if (lengthBytes <= before) return 0;
    this.buffer = this.buffer.transfer(capacityFor(lengthBytes));
    return this.buffer.byteLength - before;
  }
}

function capacityFor(lengthBytes: number): number {
  return Math.ceil(lengthBytes * 1.25) + MIN_ROOM_BYTES;
}
