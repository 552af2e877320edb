import { edenGC } from "bun:jsc";

/** What a request leaves, most of it of HTTP/2: measured, Bun 1.4.5. */
const REQUEST_GARBAGE_BYTES = 20 * 1024;

/** As much as five hundred requests leave. */
const GARBAGE_A_COLLECTION_BYTES = 500 * REQUEST_GARBAGE_BYTES;

/**
 * Has garbage collected by what there is of it.
 *
 * Left to itself the collector waits until the heap has doubled, and it counts the ring's shared
 * memory as heap: the larger the ring, the more garbage there would be beside it. What is collected
 * is what is young, in about a millisecond; nothing that could be measured is lost by it. (A full
 * collection beside the program takes the processor from others, and comes too late.)
 */
export class CollectionPace {
  // Fixed at construction.
  private readonly collect: () => void;

  // Moved by the two notes.
  private garbageBytes = 0;

  constructor(collect: () => void = edenGC) {
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
