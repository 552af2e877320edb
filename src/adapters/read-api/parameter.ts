import type { JsonSchema } from "../api-messages/message.ts";
import { NANOS_PER_MS } from "../../domain/time.ts";
import { BEGINNING, type Cursor, readCursor } from "../../domain/cursor.ts";
import { MAX_EXPECTATION_LENGTH } from "../../domain/expectation/read-expectation.ts";
import { readCondition } from "../../domain/query/span-filter.ts";
import { readDuration } from "../../domain/query/time-text.ts";

/** A parameter of a path or of a query: its description and its parser. */
export interface Parameter<Value> {
  /** Describes what the parameter does, for the API description. */
  readonly meaning: string;
  readonly schema: JsonSchema;
  /** The valid values, as the end of a message "... must be". */
  readonly bound: string;
  /** The value if the parameter is absent. */
  readonly unset: Value;
  /** Returns undefined for text that is not a valid value. */
  readonly read: (text: string) => Value | undefined;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** Holds the values of a set of parameters. */
export type ValuesOf<Known extends Parameters> = {
  readonly [Name in keyof Known]: Known[Name]["unset"];
};

interface NumberBounds<Unset> {
  readonly meaning: string;
  readonly least: number;
  readonly most: number;
  readonly unset: Unset;
}

export function wholeNumber<Unset extends number | undefined>(
  bounds: NumberBounds<Unset>,
): Parameter<number | Unset> {
  const { meaning, least, most, unset } = bounds;
  return {
    meaning,
    schema: { type: "integer", minimum: least, maximum: most, ...defaultOf(unset) },
    bound: `a whole number from ${least} to ${most}`,
    unset,
    read: (text) => {
      const number = Number(text);
      const isWithin = number >= least && number <= most;
      return /^(0|[1-9]\d{0,15})$/.test(text) && isWithin ? number : undefined;
    },
  };
}

/** Returns a parameter whose value is a sequence, with or without its run. */
export function cursor<Unset extends Cursor | undefined>(
  meaning: string,
  unset: Unset,
): Parameter<Cursor | Unset> {
  return {
    meaning,
    schema: {
      type: "string",
      pattern: String.raw`^([0-9A-Za-z]{1,64}-)?(0|[1-9]\d{0,15})$`,
      ...defaultOf(unset && String(unset.sequence)),
    },
    bound: "a sequence, such as 17, or a run id and a sequence, such as 3f9a0c5e7b21d804-17",
    unset,
    read: readCursor,
  };
}

/** Returns a parameter whose value is one of several words; the first is the default. */
export function choice<Word extends string>(
  meaning: string,
  words: readonly [Word, ...Word[]],
): Parameter<Word> {
  return {
    meaning,
    schema: { type: "string", enum: words, default: words[0] },
    bound: words.join(" or "),
    unset: words[0],
    read: (text) => words.find((word) => word === text),
  };
}

/** Returns a boolean parameter, false by default. */
export function flag(meaning: string): Parameter<boolean> {
  return {
    meaning,
    schema: { type: "boolean", default: false },
    bound: "true or false",
    unset: false,
    read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  };
}

function expectationText(meaning: string): Parameter<string | undefined> {
  return {
    meaning,
    schema: { type: "string", minLength: 1, maxLength: MAX_EXPECTATION_LENGTH },
    bound: "an expectation that is not empty",
    unset: undefined,
    read: (text) => (text === "" ? undefined : text),
  };
}

interface DurationBounds<Unset> {
  readonly meaning: string;
  readonly most: string;
  readonly unset: Unset;
  /** The documented default, where it differs from `unset`. */
  readonly meant?: string;
}

/** Returns a parameter in whole milliseconds, rounded up so that no wait is too short. */
export function duration<Unset extends number | undefined>(
  bounds: DurationBounds<Unset>,
): Parameter<number | Unset> {
  const { meaning, most, unset, meant } = bounds;
  const maxMs = milliseconds(most);
  const pattern = String.raw`^\d{1,15}(\.\d{1,15})?(ns|us|ms|s|m|h)$`;
  return {
    meaning,
    schema: { type: "string", pattern, ...defaultOf(meant) },
    bound: `a duration from 0s to ${most}, such as 250ms or 1.5s`,
    unset,
    read: (text) => {
      const ms = milliseconds(text);
      return ms === undefined || ms > maxMs! ? undefined : ms;
    },
  };
}

function milliseconds(text: string): number | undefined {
  const nano = readDuration(text);
  return nano === undefined ? undefined : Number((nano + NANOS_PER_MS - 1n) / NANOS_PER_MS);
}

function defaultOf(unset: number | string | undefined): JsonSchema {
  return unset === undefined ? {} : { default: unset };
}

/** The identifier of a trace, in lowercase. It is part of the path, so it is always present. */
export const TRACE_ID: Parameter<string> = {
  meaning: "The trace.",
  schema: { type: "string", pattern: "^[0-9A-Fa-f]{32}$" },
  bound: "32 hex digits",
  unset: "",
  read: (text) => {
    const condition = readCondition("trace_id", text, 0n);
    return "on" in condition && condition.on === "trace_id" ? condition.value : undefined;
  },
};

/** Parameters that routes share. Those of filters are in `domain/query/span-filter.ts`. */

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 2 ** 31 - 1;

/** Bounds the memory of summaries, which are held until the last one is made: some megabytes. */
const MAX_TRACES = 10_000;
const DEFAULT_TRACES = 100;

/** Bounds concurrent waits. Each costs a few kilobytes: a connection, a timer, a subscription. */
export const MAX_WAITS = 10_000;

/** Bounds the traces that all waits for complete traces follow together. */
export const MAX_FOLLOWED_TRACES = 8_192;

/** Bounds the traces that one wait follows, so that a broad filter leaves some to other waits. */
export const MAX_FOLLOWED_BY_ONE = 1_024;

export const MAX_WAIT_COUNT = 10_000;
export const DEFAULT_QUIET_MS = 200;

const DEFAULT_TIMEOUT_MS = 10_000;
const LONGEST_WAIT = "10m";

const AFTER_MEANING =
  "Only spans with a greater sequence. The form `RUN-SEQUENCE`, with `run_id` and `sequence` " +
  "from a line or from the headers, is refused with 410 if spanring has been restarted since.";

export const AFTER = cursor(AFTER_MEANING, BEGINNING);

export const AFTER_OR_NOW = cursor(
  `${AFTER_MEANING} By default, only new spans are shown.`,
  undefined,
);

export const LIMIT = wholeNumber({
  meaning: "The maximum number of spans.",
  least: 1,
  most: MAX_LIMIT,
  unset: DEFAULT_LIMIT,
});

export const TRACE_LIMIT = wholeNumber({
  meaning: "The maximum number of traces.",
  least: 1,
  most: MAX_TRACES,
  unset: DEFAULT_TRACES,
});

export const OLDEST_FIRST = choice("Which spans come first.", ["oldest", "newest"]);
export const NEWEST_FIRST = choice("Which traces come first.", ["newest", "oldest"]);

export const WAIT_PARAMETERS = {
  count: wholeNumber({
    meaning: "The number of spans to wait for; by default 1, or 0 with `absent=true`.",
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
  absent: flag("Expect no span: 200 if none arrives in time, 409 as soon as one does."),
  trace_complete: flag(
    "Wait for a complete trace: one with a matching span, its root, and `count` spans.",
  ),
  quiet: duration({
    meaning:
      "How long a trace must go without a new span before it counts as complete; only with " +
      "`trace_complete=true`.",
    most: LONGEST_WAIT,
    unset: undefined,
    meant: `${DEFAULT_QUIET_MS}ms`,
  }),
  expect: expectationText(
    "Wait for an expectation instead, such as `name=SELECT* under name='GET /orders'`; " +
      "`spanring help expectations` describes the language.",
  ),
  hold: flag(
    "Check an expectation that later spans may break until the time is up; otherwise it is " +
      "checked once no span is missing.",
  ),
} as const;
