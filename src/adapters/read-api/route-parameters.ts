import { BEGINNING } from "../../domain/cursor.ts";
import { choice, cursor, duration, flag, wholeNumber } from "./parameter.ts";
import { DEFAULT_QUIET_MS, MAX_WAIT_COUNT } from "./wait-answer.ts";

/** Parameters that routes share. Those of filters are in `domain/query/span-filter.ts`. */

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 2 ** 31 - 1;

/** Summaries are kept until all are made: this many are some megabytes. */
const MAX_TRACES = 10_000;
const DEFAULT_TRACES = 100;

const DEFAULT_TIMEOUT_MS = 10_000;
const LONGEST_WAIT = "10m";

const AFTER_MEANING =
  "Only spans with a greater sequence. As `RUN-SEQUENCE`, from `run_id` and `sequence` of a line " +
  "or from the headers, it is refused (410) when spanring has been restarted since.";

export const AFTER = cursor(AFTER_MEANING, BEGINNING);

export const AFTER_OR_NOW = cursor(
  `${AFTER_MEANING} When it is not given, only those that come from now on.`,
  undefined,
);

export const LIMIT = wholeNumber({
  meaning: "How many spans at most.",
  least: 1,
  most: MAX_LIMIT,
  unset: DEFAULT_LIMIT,
});

export const TRACE_LIMIT = wholeNumber({
  meaning: "How many traces at most.",
  least: 1,
  most: MAX_TRACES,
  unset: DEFAULT_TRACES,
});

export const OLDEST_FIRST = choice("Which come first.", ["oldest", "newest"]);
export const NEWEST_FIRST = choice("Which come first.", ["newest", "oldest"]);

export const WAIT_PARAMETERS = {
  count: wholeNumber({
    meaning: "How many spans to wait for: 1, or with `absent=true` 0, when it is not given.",
    least: 0,
    most: MAX_WAIT_COUNT,
    unset: undefined,
  }),
  timeout: duration({
    meaning: "How long to wait.",
    most: LONGEST_WAIT,
    unset: DEFAULT_TIMEOUT_MS,
    meant: `${DEFAULT_TIMEOUT_MS / 1000}s`,
  }),
  after: AFTER,
  absent: flag("The opposite: 200 when no span came in the time, 409 as soon as one is there."),
  trace_complete: flag(
    "Wait for a whole trace: with a span that matches, a root that has ended, and `count` spans.",
  ),
  quiet: duration({
    meaning: "How long a trace must have been quiet to be complete; with `trace_complete=true`.",
    most: LONGEST_WAIT,
    unset: undefined,
    meant: `${DEFAULT_QUIET_MS}ms`,
  }),
} as const;
