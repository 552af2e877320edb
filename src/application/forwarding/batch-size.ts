/** Maximum number of batches that succeed before a larger one is tried again. */
const MAX_PATIENCE = 64;

/** A smaller batch does not time out because of its size, even on a slow connection. */
const MIN_LATE_BYTES = 64 * 1024;

/** A smaller batch, of a few spans, is not too large for any upstream. */
const MIN_FAILED_BYTES = 1024;

/** A smaller batch is not refused for its size, unless the upstream says so. */
const MIN_REFUSED_BYTES = 4 * 1024;

/** After this many similar failures in a row, the cause may be the size. */
const FAILURES_BEFORE_SHRINKING = 3;

export interface SizedBatch {
  readonly spanCount: number;
  readonly spanBytes: number;
}

/** Describes how a batch failed. */
export interface BatchFailure {
  readonly message: string;
  /** Whether the upstream did not answer in time. */
  readonly isTimeout?: boolean;
}

/** The last failure, and the number of similar ones in a row. */
interface FailureRun {
  readonly kind: string;
  readonly spanBytes: number;
  readonly times: number;
}

/**
 * Limits the size of batches, in bytes of spans. The limit is the configured one, or less for one
 * of three reasons:
 *
 * - The upstream refused a batch as too large. Later batches stay smaller, so that not every batch
 *   is sent twice; now and then, a larger one is tried.
 * - A batch timed out. On a slow connection, small batches get through where a large one would be
 *   sent again and again. After each success, the next batch may be twice as large.
 * - Several batches failed in the same way. A proxy may have a limit without saying so. Much
 *   smaller batches then succeed, and larger ones follow until one fails, which shows the limit.
 *
 * Invariant: 1 <= bytes <= ceilingBytes <= maxBytes.
 */
export class BatchSize {
  // Fixed at construction.
  private readonly maxBytes: number;

  // Moved by `tooLarge`, `failed` and `passed`.
  private ceilingBytes: number;
  private currentBytes: number;
  private passedCount = 0;
  private patience = 1;

  // Moved by `failed` and `passed`.
  private failure: FailureRun | undefined;
  /** The largest size that has succeeded since batches shrank. */
  private provenBytes: number | undefined;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.ceilingBytes = this.currentBytes = maxBytes;
  }

  get bytes(): number {
    return this.currentBytes;
  }

  /** Lowers the limit. Ignores single spans, which say nothing about the size of batches. */
  tooLarge({ spanCount, spanBytes }: SizedBatch): void {
    if (spanCount === 1) return;
    this.lowerCeiling(Math.max(1, Math.floor(spanBytes / 2)), MAX_PATIENCE);
  }

  /**
   * Lowers the limit after a batch was refused but all its parts were accepted. A larger batch is
   * soon tried again.
   */
  seemsTooLarge({ spanBytes }: SizedBatch): void {
    if (spanBytes < MIN_REFUSED_BYTES) return;
    this.lowerCeiling(Math.floor(spanBytes / 2), 2 * this.patience);
  }

  failed({ spanBytes }: SizedBatch, failure: BatchFailure): void {
    this.failure = failureRun(this.failure, spanBytes, failure);
    const provenBytes = this.provenBytes ?? Number.POSITIVE_INFINITY;
    if (spanBytes > provenBytes) this.lowerCeiling(provenBytes, 2 * this.patience);
    else this.shrink(shrunkenBytes(spanBytes, failure, this.failure.times));
  }

  /** Raises the limit: a size that has succeeded is not too large, whatever happened before. */
  passed({ spanBytes }: SizedBatch): void {
    if (spanBytes >= (this.failure?.spanBytes ?? 0)) this.failure = undefined;
    this.ceilingBytes = Math.min(this.maxBytes, Math.max(this.ceilingBytes, spanBytes));
    this.passedCount += 1;
    if (this.passedCount % this.patience === 0) this.raiseCeiling();
    this.grow(spanBytes);
  }

  private lowerCeiling(bytes: number, patience: number): void {
    this.ceilingBytes = Math.min(this.ceilingBytes, bytes);
    this.currentBytes = Math.min(this.currentBytes, this.ceilingBytes);
    this.passedCount = 0;
    this.patience = Math.min(MAX_PATIENCE, patience);
  }

  private raiseCeiling(): void {
    this.ceilingBytes = Math.min(this.maxBytes, this.ceilingBytes * 2);
    if (this.ceilingBytes === this.maxBytes) this.patience = 1;
  }

  private shrink(bytes: number): void {
    if (bytes >= this.currentBytes) return;
    this.currentBytes = bytes;
    this.provenBytes = undefined;
  }

  /** Raises the current size, but only if the batch was nearly full; others prove little. */
  private grow(spanBytes: number): void {
    const isProof = 2 * spanBytes > this.currentBytes;
    if (isProof) this.provenBytes = Math.max(spanBytes, this.provenBytes ?? 0);
    this.currentBytes = Math.min(this.ceilingBytes, this.currentBytes * 2);
    if (this.currentBytes === this.maxBytes) this.provenBytes = undefined;
  }
}

/**
 * Counts failures as similar if their messages begin alike, because the rest may differ each time.
 */
function failureRun(
  before: FailureRun | undefined,
  spanBytes: number,
  { message }: BatchFailure,
): FailureRun {
  const kind = message.split(":", 1)[0]!;
  return { kind, spanBytes, times: before?.kind === kind ? before.times + 1 : 1 };
}

/** Returns the maximum size of the next batch after one of this size has failed. */
function shrunkenBytes(spanBytes: number, { isTimeout }: BatchFailure, times: number): number {
  if (isTimeout === true) return Math.max(MIN_LATE_BYTES, Math.floor(spanBytes / 2));
  if (times < FAILURES_BEFORE_SHRINKING) return Number.POSITIVE_INFINITY;
  return Math.max(MIN_FAILED_BYTES, Math.floor(spanBytes / 4));
}
