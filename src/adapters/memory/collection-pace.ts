/** What a request leaves, most of it of HTTP/2: measured, Bun 1.4.5. */
const REQUEST_GARBAGE_BYTES = 20 * 1024;

/** A thousand requests. */
const GARBAGE_A_COLLECTION_BYTES = 1000 * REQUEST_GARBAGE_BYTES;

/**
 * Has garbage collected by what there is of it.
 *
 * Left to itself the collector waits until the heap has doubled, and it counts the ring's shared
 * memory as heap: the larger the ring, the more garbage there would be beside it. The collection
 * runs beside the program, on a thread of its own, and costs no throughput that could be measured.
 */
export class CollectionPace {
  // Fixed at construction.
  private readonly collect: () => void;

  // Moved by the two notes.
  private garbageBytes = 0;

  constructor(collect: () => void = () => Bun.gc(false)) {
    this.collect = collect;
  }

  /** A request has begun. */
  note(): void {
    this.noteGarbage(REQUEST_GARBAGE_BYTES);
  }

  /** Beside it, memory was left that is not released when it is done with. */
  noteGarbage(lengthBytes: number): void {
    this.garbageBytes += lengthBytes;
    if (this.garbageBytes < GARBAGE_A_COLLECTION_BYTES) return;
    this.garbageBytes = 0;
    this.collect();
  }
}
