import { edenGC, fullGC } from "bun:jsc";

/** The garbage of one request, most of it from HTTP/2, as measured on Bun 1.4.5. */
const REQUEST_GARBAGE_BYTES = 20 * 1024;

/** The amount of garbage after which a collection starts: that of 500 requests. */
const GARBAGE_A_COLLECTION_BYTES = 500 * REQUEST_GARBAGE_BYTES;

/** One in this many collections is a full one. The others leave up to 0.4 MiB of old garbage. */
const COLLECTIONS_A_FULL = 64;

/**
 * The collection that is the first full one. Until then, each of them leaves about 1 MiB, so that
 * resident memory is largest just before it: 30 MiB larger if the first full one is the 64th.
 */
const FIRST_FULL_COLLECTION = 16;

/** The amount of old garbage after which a full collection starts. */
const OLD_GARBAGE_A_COLLECTION_BYTES = 24 * 1024 * 1024;

export interface Collectors {
  readonly young: () => void;
  readonly all: () => void;
}

const OF_THIS_PROGRAM: Collectors = { young: edenGC, all: fullGC };

/**
 * Starts garbage collections by the amount of garbage.
 *
 * By default the collector waits until the heap has doubled, and it counts the ring's shared memory
 * as heap, so garbage would grow with the size of the ring.
 *
 * Most collections cover only young objects, and take about a millisecond. One in 64 is a full one
 * of 5 to 10 ms, which under full load happens once in several seconds; without it, a minute of
 * overflow adds 60 MiB of old garbage. (A concurrent full collection takes processor time from
 * other work, and finishes too late.)
 */
export class CollectionPace {
  // Fixed at construction.
  private readonly collectors: Collectors;

  // Moved by the notes.
  private garbageBytes = 0;
  private oldGarbageBytes = 0;
  private collections = 0;

  constructor(collectors = OF_THIS_PROGRAM) {
    this.collectors = collectors;
  }

  /** Counts a request that has begun. */
  note(): void {
    this.noteGarbage(REQUEST_GARBAGE_BYTES);
  }

  /** Counts additional memory that is left to the collector. */
  noteGarbage(lengthBytes: number): void {
    this.garbageBytes += lengthBytes;
    if (this.garbageBytes < GARBAGE_A_COLLECTION_BYTES) return;
    this.garbageBytes = 0;
    this.collect();
  }

  /**
   * Counts memory that has been held for long enough to survive young collections, such as that of
   * a connection that was dropped.
   */
  noteOldGarbage(lengthBytes: number): void {
    this.oldGarbageBytes += lengthBytes;
    if (this.oldGarbageBytes >= OLD_GARBAGE_A_COLLECTION_BYTES) this.collectAll();
  }

  private collect(): void {
    this.collections += 1;
    if (this.collections % COLLECTIONS_A_FULL === FIRST_FULL_COLLECTION) this.collectAll();
    else this.collectors.young();
  }

  private collectAll(): void {
    this.oldGarbageBytes = 0;
    this.collectors.all();
  }
}
