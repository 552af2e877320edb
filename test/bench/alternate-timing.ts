/** One of the programs that take turns. */
export interface Contender {
  /** Number of spans per run. */
  readonly spanCount: number;
  readonly run: () => void;
}

export interface Turns {
  readonly rounds: number;
  /** The time of each contender in one round, over all its slices. */
  readonly roundMs: number;
  /** The clock; the real one by default. */
  readonly nowNs?: () => number;
}

/** Short enough for a disturbance of the machine to affect all contenders alike. */
const SLICE_MS = 10;
const WARM_UP_SLICES = 30;

/**
 * Returns nanoseconds per span, one sample per round, for each contender. Within a round, the
 * contenders take turns in short slices.
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

/** Runs a contender until its code is compiled, and returns the number of runs per slice. */
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
