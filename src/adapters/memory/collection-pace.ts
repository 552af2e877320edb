/**
 * Each request leaves about 20 KiB of garbage, most of it of HTTP/2 (measured, Bun 1.4.5): so this
 * is about 20 MiB.
 */
const REQUESTS_A_COLLECTION = 1000;

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

  // Moved by `note`.
  private requestCount = 0;

  constructor(collect: () => void = () => Bun.gc(false)) {
    this.collect = collect;
  }

  /** A request has begun. */
  note(): void {
    this.requestCount += 1;
    if (this.requestCount % REQUESTS_A_COLLECTION === 0) this.collect();
  }
}
