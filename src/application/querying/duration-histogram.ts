/**
 * Counts durations in buckets whose width is at most 1/32 of their lower bound, so a percentile is
 * wrong by less than 1.6 %. Its memory is bounded, however many durations it counts.
 *
 *   octave    0: 0 1 2 ... 31   one bucket each
 *   octave    1: 32 33 ... 63   one bucket each
 *   octave    2: 64 66 ... 126  two values each
 *   octave    k: 2^(k+4) ...    2^(k-1) values each
 */
export interface DurationHistogram {
  /** The buckets of each octave; absent while it has no duration. */
  readonly octaves: (Uint32Array | undefined)[];
  count: number;
  leastNano: number;
  mostNano: number;
}

const BUCKETS_PER_OCTAVE = 32;
const BUCKET_BITS = 5;

export function createHistogram(): DurationHistogram {
  return { octaves: [], count: 0, leastNano: Infinity, mostNano: 0 };
}

/** Counts a duration, of 0 or more and below 2^64. */
export function addDuration(histogram: DurationHistogram, durationNano: number): void {
  const { octaves } = histogram;
  const octave = octaveOf(durationNano);
  const buckets = (octaves[octave] ??= new Uint32Array(BUCKETS_PER_OCTAVE));
  buckets[Math.floor(durationNano / widthIn(octave)) % BUCKETS_PER_OCTAVE]! += 1;
  histogram.count += 1;
  histogram.leastNano = Math.min(histogram.leastNano, durationNano);
  histogram.mostNano = Math.max(histogram.mostNano, durationNano);
}

function octaveOf(durationNano: number): number {
  const high = Math.floor(durationNano / 2 ** 32);
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(durationNano);
  return Math.max(0, bits - BUCKET_BITS);
}

/** Returns the number of values of a bucket. */
function widthIn(octave: number): number {
  return octave === 0 ? 1 : 2 ** (octave - 1);
}

/**
 * Returns the duration that the given share of all durations does not exceed, in nanoseconds;
 * undefined if nothing was counted.
 */
export function percentile(histogram: DurationHistogram, share: number): number | undefined {
  const { octaves, count, leastNano, mostNano } = histogram;
  if (count === 0) return undefined;
  let left = Math.max(1, Math.ceil(share * count));
  for (const [octave, buckets = NO_BUCKETS] of octaves.entries()) {
    for (const [bucket, durations] of buckets.entries()) {
      left -= durations;
      if (left > 0) continue;
      return Math.min(Math.max(middleOf(octave, bucket), leastNano), mostNano);
    }
  }
  return mostNano;
}

const NO_BUCKETS = new Uint32Array(0);

function middleOf(octave: number, bucket: number): number {
  const first = octave === 0 ? bucket : bucket + BUCKETS_PER_OCTAVE;
  const width = widthIn(octave);
  return first * width + Math.floor((width - 1) / 2);
}
