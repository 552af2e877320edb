/** Batches in a row that came through, after which a larger one is tried. */
const BATCHES_BEFORE_GROWTH = 64;

/**
 * How large batches may be, in bytes: as configured, and less once the upstream has found one too
 * large, so that not every batch is sent twice. It is tried again now and then whether more passes.
 *
 * Invariant: 1 <= bytes <= mostBytes.
 */
export class BatchSize {
  // Fixed at construction.
  private readonly mostBytes: number;

  // Moved by `tooLarge` and `passed`.
  bytes: number;
  private passedCount = 0;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
    this.bytes = mostBytes;
  }

  tooLarge(batchBytes: number): void {
    this.bytes = Math.max(1, Math.min(this.bytes, Math.floor(batchBytes / 2)));
    this.passedCount = 0;
  }

  passed(): void {
    this.passedCount += 1;
    if (this.passedCount < BATCHES_BEFORE_GROWTH) return;
    this.bytes = Math.min(this.mostBytes, this.bytes * 2);
    this.passedCount = 0;
  }
}
