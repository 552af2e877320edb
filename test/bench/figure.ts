/** A figure that a case has measured, with one sample per round and possibly a reference. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly samples: readonly number[];
  readonly reference?: Reference;
  readonly goal?: Goal;
}

/** Samples of something else, measured in alternation with the figure. */
export interface Reference {
  readonly name: string;
  readonly samples: readonly number[];
}

export interface Goal {
  /**
   * The value that must meet the bound. `ratio` is relative to the reference: 2 is twice as good.
   */
  readonly of: "ratio" | "median" | "max";
  readonly is: ">=" | "<=" | "<";
  readonly bound: number;
  /** A more ambitious bound. */
  readonly further?: number;
}

export type Verdict = "met" | "missed" | "surpassed";

export interface FigureSummary {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: readonly number[];
  readonly reference: { readonly name: string; readonly median: number } | null;
  /** The ratio of the two medians: how many times as good as the reference. */
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly verdict: Verdict | null;
}

export function summarise(figure: Figure): FigureSummary {
  const { name, unit, samples, goal } = figure;
  const values = {
    median: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
    ratio: ratioOf(figure),
  };
  const reference = figure.reference;
  return {
    name,
    unit,
    ...values,
    samples,
    reference:
      reference === undefined ? null : { name: reference.name, median: median(reference.samples) },
    goal: goal === undefined ? null : goalText(goal),
    verdict: goal === undefined ? null : verdictOf(goal, values[goal.of] ?? Number.NaN),
  };
}

/** Returns the middle sample, or the mean of the two middle ones. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((one, other) => one - other);
  const upper = Math.floor(sorted.length / 2);
  const lower = Math.ceil(sorted.length / 2) - 1;
  return (sorted[lower]! + sorted[upper]!) / 2;
}

/**
 * Returns the lowest of the sorted values that at least `share` of them do not exceed (nearest
 * rank).
 */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.max(1, rank) - 1]!;
}

function ratioOf({ better, samples, reference }: Figure): number | null {
  if (reference === undefined) return null;
  const [own, other] = [median(samples), median(reference.samples)];
  return better === "higher" ? own / other : other / own;
}

function goalText({ of, is, bound, further }: Goal): string {
  return `${of} ${is} ${bound}${further === undefined ? "" : `, then ${further}`}`;
}

/** Returns the verdict on a value; NaN has missed the goal. */
function verdictOf({ is, bound, further }: Goal, value: number): Verdict {
  if (!keeps(value, is, bound)) return "missed";
  return further !== undefined && keeps(value, is, further) ? "surpassed" : "met";
}

function keeps(value: number, is: Goal["is"], bound: number): boolean {
  if (is === ">=") return value >= bound;
  return is === "<" ? value < bound : value <= bound;
}
