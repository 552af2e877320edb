import { edenGC, fullGC } from "bun:jsc";

/** What a request leaves, most of it of HTTP/2: measured, Bun 1.4.5. */
const REQUEST_GARBAGE_BYTES = 20 * 1024;

/** As much as five hundred requests leave. */
const GARBAGE_A_COLLECTION_BYTES = 500 * REQUEST_GARBAGE_BYTES;

/** What is young outlives some collections and is old garbage then: up to 0.4 MiB from each. */
const YOUNG_COLLECTIONS_A_FULL = 64;

export interface Collectors {
  readonly young: () => void;
  readonly all: () => void;
}

const OF_THIS_PROGRAM: Collectors = { young: edenGC, all: fullGC };

/**
 * Has garbage collected by what there is of it.
 *
 * Left to itself the collector waits until the heap has doubled, and it counts the ring's shared
 * memory as heap: the larger the ring, the more garbage there would be beside it.
 *
 * What is collected is what is young, in about a millisecond; and each 64th time all, in five to
 * ten, which under full load is once in several seconds. Without the latter, a minute of overflow
 * adds 60 MiB of what has grown old. (A full collection beside the program takes the processor from
 * others, and comes too late.)
 */
export class CollectionPace {
  // Fixed at construction.
  private readonly collectors: Collectors;

  // Moved by the two notes.
  private garbageBytes = 0;
  private collections = 0;

  constructor(collectors = OF_THIS_PROGRAM) {
    this.collectors = collectors;
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

  private collect(): void {
    this.collections += 1;
    if (this.collections % YOUNG_COLLECTIONS_A_FULL === 0) this.collectors.all();
    else this.collectors.young();
  }
}
