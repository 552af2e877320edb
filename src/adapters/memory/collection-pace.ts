import { edenGC, fullGC, heapSize } from "bun:jsc";
import type { Clock } from "../../ports/clock.ts";
import { SYSTEM_CLOCK } from "../clock/system-clock.ts";

/** The garbage of one request, most of it from HTTP/2, as measured on Bun 1.4.5. */
const REQUEST_GARBAGE_BYTES = 20 * 1024;

/** The amount of garbage after which a collection starts: that of 500 requests. */
const GARBAGE_A_COLLECTION_BYTES = 500 * REQUEST_GARBAGE_BYTES;

/** The growth of the heap since the last full collection that starts the next one. */
const GROWTH_A_FULL_BYTES = 24 * 1024 * 1024;

/** The interval at which the size of the heap is read, which takes 0.02 to 0.2 ms. */
const SIZE_INTERVAL_MS = 100;

/** The amount of old garbage after which a full collection starts. */
const OLD_GARBAGE_A_COLLECTION_BYTES = 12 * 1024 * 1024;

/** The collectors of the runtime. */
export interface Collectors {
  /** Collects young objects. Returns the size of the heap, with all old garbage. */
  readonly young: () => number;
  /** Collects all objects. Returns the size of the heap. */
  readonly all: () => number;
  /**
   * Collects all objects, and returns free memory to the system. Takes half as long again as `all`,
   * after which the blocks of dead objects stay (`test/quirks/bun.test.ts`), with what they hold
   * outside the heap, and the allocator keeps for a while what has been freed.
   */
  readonly returnFree: () => number;
  /**
   * Returns the size of the heap as of the last collection, with some of what was added since: also
   * buffers that have been freed, until the next collection.
   */
  readonly heapBytes: () => number;
}

const OF_THIS_PROGRAM: Collectors = {
  young: edenGC,
  all: fullGC,
  returnFree: () => (Bun.gc(true), heapSize()),
  heapBytes: heapSize,
};

/**
 * Starts garbage collections by the amount of garbage.
 *
 * By default the collector waits until the heap has doubled, and it counts the ring's shared memory
 * as heap, so garbage would grow with the size of the ring.
 *
 * Most collections cover only young objects, and take about a millisecond. What survives them
 * becomes garbage later, which only a full one of 5 to 25 ms collects. So the heap is measured, and
 * a full one follows when it has grown by 24 MiB since the last one, whatever the reason: the
 * notes say what a request usually leaves, and a hostile one leaves more. Under full load this
 * happens once in several seconds; without it, a minute of overflow adds 60 MiB of old garbage. (A
 * concurrent full collection takes processor time from other work, and finishes too late.)
 *
 * Only the size after a collection shows that. Before it, messages count that have been freed, and
 * at 512 spans a request these alone would start several full collections a second.
 *
 * Everyone who uses the heap shares one of these, `PROCESS_PACE`.
 */
export class CollectionPace {
  // Fixed at construction.
  private readonly collectors: Collectors;
  private readonly clock: Clock;

  // Moved by the notes.
  private garbageBytes = 0;
  private oldGarbageBytes = 0;
  private closedBytes = 0;
  private closedOldBytes = 0;
  /** The smallest size of the heap since the last full collection. */
  private smallestBytes = Number.POSITIVE_INFINITY;
  /** Whether the last collection has left so much that the next one is full. */
  private isGrown = false;
  private sizeDueMs = 0;

  constructor(collectors = OF_THIS_PROGRAM, clock: Clock = SYSTEM_CLOCK) {
    this.collectors = collectors;
    this.clock = clock;
  }

  /** Counts a request that has begun. */
  note(): void {
    this.noteGarbage(REQUEST_GARBAGE_BYTES);
  }

  /** Counts additional memory that is left to the collector. */
  noteGarbage(lengthBytes: number): void {
    this.garbageBytes += lengthBytes;
    if (this.garbageBytes >= GARBAGE_A_COLLECTION_BYTES) this.collect();
    else if (this.clock.monotonicMs() >= this.sizeDueMs) this.look();
  }

  /**
   * Counts memory of something that has been closed, and how much it has held for long. Thousands
   * of connections may be closed in one turn of the event loop, so a collection follows once, after
   * it.
   */
  noteClosed(lengthBytes: number, oldBytes = 0): void {
    if (this.closedBytes === 0) setImmediate(() => this.noteAllClosed());
    this.closedBytes += lengthBytes;
    this.closedOldBytes += oldBytes;
  }

  private noteAllClosed(): void {
    const [bytes, oldBytes] = [this.closedBytes, this.closedOldBytes];
    this.closedBytes = this.closedOldBytes = 0;
    this.garbageBytes += bytes;
    this.noteOldGarbage(oldBytes);
    this.noteGarbage(0);
  }

  /**
   * Counts memory that has been held for long enough to survive young collections, such as that of
   * a connection that was dropped.
   */
  noteOldGarbage(lengthBytes: number): void {
    this.oldGarbageBytes += lengthBytes;
    if (this.oldGarbageBytes >= OLD_GARBAGE_A_COLLECTION_BYTES) this.collectAll();
  }

  /** Collects all objects, and returns to the system whatever memory is free. */
  returnFreeMemory(): void {
    this.collectAll(this.collectors.returnFree);
  }

  /** Collects young objects, or all if the heap has grown: never both at once, which blocks. */
  private collect(): void {
    if (this.isGrown) this.collectAll();
    else this.collectYoung();
  }

  private collectYoung(): void {
    this.garbageBytes = 0;
    this.measure(this.collectors.young());
  }

  /** Collects if the heap seems to have grown: young objects first, which may be all of it. */
  private look(): void {
    this.sizeDueMs = this.clock.monotonicMs() + SIZE_INTERVAL_MS;
    if (this.growthTo(this.collectors.heapBytes()) >= GROWTH_A_FULL_BYTES) this.collect();
  }

  private collectAll(collector = this.collectors.all): void {
    this.garbageBytes = this.oldGarbageBytes = 0;
    this.smallestBytes = Number.POSITIVE_INFINITY;
    this.measure(collector());
  }

  private growthTo(heapBytes: number): number {
    this.smallestBytes = Math.min(this.smallestBytes, heapBytes);
    return heapBytes - this.smallestBytes;
  }

  private measure(heapBytes: number): void {
    this.isGrown = this.growthTo(heapBytes) >= GROWTH_A_FULL_BYTES;
    this.sizeDueMs = this.clock.monotonicMs() + SIZE_INTERVAL_MS;
  }
}

/** The pace of this process, which has one heap. */
export const PROCESS_PACE = new CollectionPace();
