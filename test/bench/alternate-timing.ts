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
}

/** Short enough that a disturbance of the machine hits all contenders alike. */
const SLICE_MS = 10;
const WARM_UP_SLICES = 30;

/**
 * Nanoseconds a span, one sample a round, for each contender in their order. Within a round they
 * take turns in short slices.
 */
export function timeAlternately(contenders: readonly Contender[], turns: Turns): number[][] {
  const repeats = contenders.map((contender) => repeatsPerSlice(contender));
  const slices = Math.max(1, Math.round(turns.roundMs / SLICE_MS));
  return transpose(
    Array.from({ length: turns.rounds }, () => oneRound(contenders, repeats, slices)),
  );
}

function oneRound(
  contenders: readonly Contender[],
  repeats: readonly number[],
  slices: number,
): number[] {
  const totalNs = contenders.map(() => 0);
  for (let slice = 0; slice < slices; slice += 1) {
    contenders.forEach((contender, at) => (totalNs[at]! += sliceNs(contender, repeats[at]!)));
  }
  return contenders.map(({ spanCount }, at) => totalNs[at]! / (slices * repeats[at]! * spanCount));
}

/** Runs a contender until its code is compiled, and answers how often it runs in a slice. */
function repeatsPerSlice(contender: Contender): number {
  let repeats = 1;
  for (let slice = 0; slice < WARM_UP_SLICES; slice += 1) {
    const tookMs = sliceNs(contender, repeats) / 1e6;
    repeats = Math.max(1, Math.round((repeats * SLICE_MS) / Math.max(tookMs, 0.001)));
  }
  return repeats;
}

function sliceNs({ run }: Contender, repeats: number): number {
  const beganNs = Bun.nanoseconds();
  for (let count = 0; count < repeats; count += 1) run();
  return Bun.nanoseconds() - beganNs;
}

function transpose(rounds: readonly (readonly number[])[]): number[][] {
  return rounds[0]!.map((_, at) => rounds.map((round) => round[at]!));
}
