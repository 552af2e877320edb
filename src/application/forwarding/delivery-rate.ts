import type { Clock } from "../../ports/clock.ts";

const SECONDS = 10;
const SECOND_MS = 1000;

/**
 * Measures the delivered spans per second over the last ten seconds.
 *
 *   second    7   8   9  10  11  12      spans of each, by second % SECONDS
 *           [ 3 ][ 0 ][ 9 ][ 4 ][ 2 ][ . ]
 */
export class DeliveryRate {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly beganMs: number;

  // Moved by `note`, and by time.
  private readonly spans = new Float64Array(SECONDS);
  private second = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.beganMs = clock.monotonicMs();
  }

  note(spanCount: number): void {
    this.forgetOld();
    this.spans[this.second % SECONDS]! += spanCount;
  }

  get spansPerSecond(): number {
    this.forgetOld();
    const elapsed = (this.clock.monotonicMs() - this.beganMs) / SECOND_MS;
    const sum = this.spans.reduce((all, each) => all + each, 0);
    return sum / Math.min(SECONDS, Math.max(1, elapsed));
  }

  private forgetOld(): void {
    const now = Math.floor((this.clock.monotonicMs() - this.beganMs) / SECOND_MS);
    const passed = Math.min(SECONDS, now - this.second);
    for (let each = 0; each < passed; each += 1) this.spans[(now - each) % SECONDS] = 0;
    this.second = now;
  }
}
