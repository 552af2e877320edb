/** Batches in a row that came through, after which a larger one is tried than was too large. */
const BATCHES_BEFORE_GROWTH = 64;

/** However slow the way to the upstream is: less than this is not what it fails for. */
const LEAST_BYTES = 64 * 1024;

/**
 * How large batches may be, in bytes of spans: as configured, and less for two reasons.
 *
 * - The upstream has found one too large. Then none is sent that large, so that not every batch is
 *   sent twice; now and then it is tried again whether more passes.
 * - One did not arrive in time. The way may be slow: then smaller ones arrive, where large ones
 *   would be sent again for ever. Each that arrives is followed by one twice as large.
 *
 * Invariant: 1 <= bytes <= ceilingBytes <= mostBytes.
 */
export class BatchSize {
  // Fixed at construction.
  private readonly mostBytes: number;

  // Moved by `tooLarge`, `late` and `passed`.
  private ceilingBytes: number;
  private currentBytes: number;
  private passedCount = 0;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
    this.ceilingBytes = this.currentBytes = mostBytes;
  }

  get bytes(): number {
    return this.currentBytes;
  }

  /** One span alone says nothing of how many may go together. */
  tooLarge({ spanCount, spanBytes }: SizedBatch): void {
    if (spanCount === 1) return;
    this.ceilingBytes = Math.max(1, Math.min(this.ceilingBytes, Math.floor(spanBytes / 2)));
    this.currentBytes = Math.min(this.currentBytes, this.ceilingBytes);
    this.passedCount = 0;
  }

  late({ spanBytes }: SizedBatch): void {
    const half = Math.max(LEAST_BYTES, Math.floor(spanBytes / 2));
    this.currentBytes = Math.min(this.currentBytes, half);
  }

  /** What has passed is not too large, whatever was found before. */
  passed({ spanBytes }: SizedBatch): void {
    this.ceilingBytes = Math.min(this.mostBytes, Math.max(this.ceilingBytes, spanBytes));
    this.passedCount += 1;
    if (this.passedCount % BATCHES_BEFORE_GROWTH === 0) this.raiseCeiling();
    this.currentBytes = Math.min(this.ceilingBytes, this.currentBytes * 2);
  }

  private raiseCeiling(): void {
    this.ceilingBytes = Math.min(this.mostBytes, this.ceilingBytes * 2);
  }
}

export interface SizedBatch {
  readonly spanCount: number;
  readonly spanBytes: number;
}
