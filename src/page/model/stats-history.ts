import type { Stats } from "./stats.ts";

/** How far back the lines go. */
export const WINDOW_SECONDS = 300;

/** A rate is the mean of this time, because exporters send in batches. */
export const MEAN_SECONDS = 5;

/** The counts of which the history shows the rates. */
export const FLOWS = ["received", "evicted", "delivered"] as const;

export type Flow = (typeof FLOWS)[number];

interface Sample extends Readonly<Record<Flow, number>> {
  readonly uptimeSeconds: number;
}

/** The counts of spans over the last minutes, oldest first, as far as this page has read them. */
export interface StatsHistory {
  readonly runId?: string;
  readonly latest?: Stats;
  readonly samples: readonly Sample[];
}

export const NO_HISTORY: StatsHistory = { samples: [] };

/** Adds a sample. A restart of spanring begins a new history, because it begins a new count. */
export function addStats(history: StatsHistory, stats: Stats): StatsHistory {
  const { sequence, uptime_seconds: uptimeSeconds, spans } = stats;
  const { received, evicted, delivered } = spans;
  const known = history.runId === sequence.run_id ? history.samples : [];
  const kept = known.filter(
    (each) =>
      each.uptimeSeconds < uptimeSeconds &&
      each.uptimeSeconds >= uptimeSeconds - WINDOW_SECONDS - MEAN_SECONDS,
  );
  const samples = [...kept, { uptimeSeconds, received, evicted, delivered }];
  return { runId: sequence.run_id, latest: stats, samples };
}

/** The spans per second at one instant. */
export interface Rates extends Readonly<Record<Flow, number>> {
  /** How long before the newest sample. */
  readonly ageSeconds: number;
}

/** Returns the rates at each sample but the first, oldest first. */
export function ratesOf({ samples }: StatsHistory): Rates[] {
  const newest = samples.at(-1)?.uptimeSeconds ?? 0;
  let earlier = 0;
  const rates = samples.slice(1).map((sample, index) => {
    const isOldEnough = (at: number): boolean =>
      samples[at]!.uptimeSeconds <= sample.uptimeSeconds - MEAN_SECONDS;
    while (earlier < index && isOldEnough(earlier + 1)) earlier += 1;
    return rateBetween(samples[earlier]!, sample, newest);
  });
  return rates.filter(({ ageSeconds }) => ageSeconds <= WINDOW_SECONDS);
}

function rateBetween(earlier: Sample, later: Sample, newest: number): Rates {
  const seconds = later.uptimeSeconds - earlier.uptimeSeconds;
  const rate = (flow: Flow): number => (later[flow] - earlier[flow]) / seconds;
  return {
    ageSeconds: newest - later.uptimeSeconds,
    received: rate("received"),
    evicted: rate("evicted"),
    delivered: rate("delivered"),
  };
}

const SCALE_STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10] as const;

/** Returns the end of a scale from 0: a round number, and not below 1. */
export function scaleEnd(greatest: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, greatest)));
  return SCALE_STEPS.map((step) => step * power).find((end) => end >= greatest)!;
}

/** Returns the path of a flow in a box of 100 by 100, with the newest rate at its right edge. */
export function linePath(rates: readonly Rates[], flow: Flow, end: number): string {
  const points = rates.map((each) => {
    const x = 100 - (each.ageSeconds / WINDOW_SECONDS) * 100;
    return `${x.toFixed(2)} ${(100 - (each[flow] / end) * 100).toFixed(2)}`;
  });
  return points.length === 0 ? "" : `M${points.join("L")}`;
}

/** Returns the rates nearest to an age; undefined if none is known. */
export function ratesAt(rates: readonly Rates[], ageSeconds: number): Rates | undefined {
  const distance = (each: Rates): number => Math.abs(each.ageSeconds - ageSeconds);
  return rates.toSorted((one, other) => distance(one) - distance(other))[0];
}
