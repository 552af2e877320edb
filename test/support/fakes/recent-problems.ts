import type { RecentProblem } from "../../../src/application/receiving/problem-registry.ts";

/** The parts of a read API that shows these problems and receives no more. */
export const SHOWING_RECENT_PROBLEMS = {
  list: (): readonly RecentProblem[] => RECENT_PROBLEMS,
  note: (): void => {},
  hint: (): string => "",
};

/** Problems: one with every detail, and one with as few as possible. */
export const RECENT_PROBLEMS: readonly RecentProblem[] = [
  {
    protocol: "http",
    reason: "not_otlp_json",
    address: "10.0.0.7",
    count: 3,
    firstUnixMs: 1_700_000_000_000,
    lastUnixMs: 1_700_000_060_500,
    detail: "at byte 0: the body must be one JSON object",
    hint: "send an object",
  },
  {
    protocol: "grpc",
    reason: "evicted",
    address: "",
    count: 1,
    firstUnixMs: 1_700_000_000_000,
    lastUnixMs: 1_700_000_000_000,
    detail: "",
    hint: "read faster",
  },
];
