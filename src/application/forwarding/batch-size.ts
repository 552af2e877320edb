/** The most batches in a row that come through before a larger one is tried than was too large. */
const MAX_PATIENCE = 64;

/** However slow the way to the upstream is: less than this does not fail for want of time. */
const MIN_LATE_BYTES = 64 * 1024;

/** A few spans: less than this is not too large for anybody. */
const MIN_FAILED_BYTES = 1024;

/** Nobody refuses less than this for its size without saying so. */
const MIN_REFUSED_BYTES = 4 * 1024;

/** After so many failures of a kind in a row, the size may be the reason. */
const FAILURES_BEFORE_SHRINKING = 3;

export interface SizedBatch {
  readonly spanCount: number;
  readonly spanBytes: number;
}

/** How a batch failed. */
export interface BatchFailure {
  readonly message: string;
  /** There was no answer in time. */
  readonly isTimeout?: boolean;
}

/** The last failure, and how many in a row were like it. */
interface FailureRun {
  readonly kind: string;
  readonly spanBytes: number;
  readonly times: number;
}

/**
 * How large batches may be, in bytes of spans: as configured, and less for three reasons.
 *
 * - The upstream has found one too large. Then none is sent that large, so that not every batch is
 *   sent twice; now and then a larger one is tried.
 * - One did not arrive in time. The way may be slow: then smaller ones arrive, where large ones
 *   would be sent again for ever. Each that arrives is followed by one twice as large.
 * - Several failed in the same way. A proxy may have a limit and not say so: then much smaller
 *   ones pass, and are followed by larger ones, until one fails. Then the limit is known.
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
  /** The largest that has passed since batches shrank. */
  private provenBytes: number | undefined;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.ceilingBytes = this.currentBytes = maxBytes;
  }

  get bytes(): number {
    return this.currentBytes;
  }

  /** One span alone says nothing of how many may go together. */
  tooLarge({ spanCount, spanBytes }: SizedBatch): void {
    if (spanCount === 1) return;
    this.lowerCeiling(Math.max(1, Math.floor(spanBytes / 2)), MAX_PATIENCE);
  }

  /** It was refused, and all its parts were taken: maybe by chance, so it is soon tried again. */
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

  /** A size that has passed is not too large, whatever was found before. */
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

  /** A batch that was far from full proves little. */
  private grow(spanBytes: number): void {
    const isProof = 2 * spanBytes > this.currentBytes;
    if (isProof) this.provenBytes = Math.max(spanBytes, this.provenBytes ?? 0);
    this.currentBytes = Math.min(this.ceilingBytes, this.currentBytes * 2);
    if (this.currentBytes === this.maxBytes) this.provenBytes = undefined;
  }
}

/** Failures are of a kind when their messages begin alike: what follows may differ each time. */
function failureRun(
  before: FailureRun | undefined,
  spanBytes: number,
  { message }: BatchFailure,
): FailureRun {
  const kind = message.split(":", 1)[0]!;
  return { kind, spanBytes, times: before?.kind === kind ? before.times + 1 : 1 };
}

/** How large a batch may be after one of this size has failed. */
function shrunkenBytes(spanBytes: number, { isTimeout }: BatchFailure, times: number): number {
  if (isTimeout === true) return Math.max(MIN_LATE_BYTES, Math.floor(spanBytes / 2));
  if (times < FAILURES_BEFORE_SHRINKING) return Number.POSITIVE_INFINITY;
  return Math.max(MIN_FAILED_BYTES, Math.floor(spanBytes / 4));
}
