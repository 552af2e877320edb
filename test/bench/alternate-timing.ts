/** One of those that take turns. */
export interface Contender {
  /** Spans that one run deals with. */
  readonly spanCount: number;
  readonly run: () => void;
}

export interface Turns {
  readonly rounds: number;
  /** How long each contender runs in one round, in all its slices together. */
  readonly roundMs: number;
  /** The clock; without it, the real one. */
  readonly nowNs?: () => number;
}

/** Short enough that a disturbance of the machine hits all contenders alike. */
const SLICE_MS = 10;
const WARM_UP_SLICES = 30;

/**
 * Nanoseconds a span, one sample a round, for each contender in their order. Within a round they
 * take turns in short slices.
 */
export function timeAlternately(contenders: readonly Contender[], turns: Turns): number[][] {
  const { rounds, roundMs, nowNs = Bun.nanoseconds } = turns;
  const sliceNs = (contender: Contender, repeats: number) => timeRuns(contender, repeats, nowNs);
  const repeats = contenders.map((contender) => repeatsPerSlice(contender, sliceNs));
  const slices = Math.max(1, Math.round(roundMs / SLICE_MS));
  const samples = contenders.map(() => [] as number[]);
  for (let round = 0; round < rounds; round += 1) {
    const totalNs = contenders.map(() => 0);
    for (let slice = 0; slice < slices; slice += 1) {
      contenders.forEach((contender, at) => (totalNs[at]! += sliceNs(contender, repeats[at]!)));
    }
    contenders.forEach(({ spanCount }, at) =>
      samples[at]!.push(totalNs[at]! / (slices * repeats[at]! * spanCount)),
    );
  }
  return samples;
}

type TimeRuns = (contender: Contender, repeats: number) => number;

/** Runs a contender until its code is compiled, and answers how often it runs in a slice. */
function repeatsPerSlice(contender: Contender, sliceNs: TimeRuns): number {
  let repeats = 1;
  for (let slice = 0; slice < WARM_UP_SLICES; slice += 1) {
    const tookMs = sliceNs(contender, repeats) / 1e6;
    repeats = Math.max(1, Math.round((repeats * SLICE_MS) / Math.max(tookMs, 0.001)));
  }
  return repeats;
}

function timeRuns({ run }: Contender, repeats: number, nowNs: () => number): number {
  const beganNs = nowNs();
  for (let count = 0; count < repeats; count += 1) run();
  return nowNs() - beganNs;
}
