import type { RecentProblem } from "../../../src/application/receiving/problem-registry.ts";

/** What a read API shows that has these problems, and gets no more. */
export const SHOWING_RECENT_PROBLEMS = {
  list: (): readonly RecentProblem[] => RECENT_PROBLEMS,
  note: (): void => {},
  hint: (): string => "",
};

/** One with everything that can be known, and one with as little as there can be. */
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
