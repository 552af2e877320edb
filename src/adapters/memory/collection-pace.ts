import { edenGC, fullGC } from "bun:jsc";

/** The garbage of one request, most of it from HTTP/2; measured on Bun 1.4.5. */
const REQUEST_GARBAGE_BYTES = 20 * 1024;

/** The garbage of five hundred requests. */
const GARBAGE_A_COLLECTION_BYTES = 500 * REQUEST_GARBAGE_BYTES;

/** Young objects that survive become old garbage: up to 0.4 MiB for each collection. */
const YOUNG_COLLECTIONS_A_FULL = 64;

export interface Collectors {
  readonly young: () => void;
  readonly all: () => void;
}

const OF_THIS_PROGRAM: Collectors = { young: edenGC, all: fullGC };

/**
 * Starts garbage collections by the amount of garbage.
 *
 * By itself the collector waits until the heap has doubled, and it counts the ring's shared memory
 * as heap: the larger the ring, the more garbage would lie beside it.
 *
 * Most collections take only young objects, in about a millisecond. Each 64th takes all, in five to
 * ten, which under full load happens once in several seconds; without it, a minute of overflow adds
 * 60 MiB of old garbage. (A concurrent full collection takes the processor from other work, and
 * comes too late.)
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

  /** Counts a request that has begun. */
  note(): void {
    this.noteGarbage(REQUEST_GARBAGE_BYTES);
  }

  /** Counts memory that was allocated in addition, and is not freed by hand. */
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
