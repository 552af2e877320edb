import { NANOS_PER_MS } from "../../domain/time.ts";
import { type Cursor, readCursor } from "../../domain/cursor.ts";
import { readCondition } from "../../domain/query/span-filter.ts";
import { readDuration } from "../../domain/query/time-text.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parameter of a path or of a query: how it is read, and how it is told of. */
export interface Parameter<Value> {
  /** What it is for. */
  readonly meaning: string;
  readonly schema: JsonSchema;
  /** Completes "must be ...". */
  readonly bound: string;
  /** When it is not given. */
  readonly unset: Value;
  /** Undefined when the text is none of its values. */
  readonly read: (text: string) => Value | undefined;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** What is read of a set of parameters. */
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

/** A sequence, alone or with the run that it is of. */
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

/** One of several words, the first of which is meant when it is not given. */
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

/** Off when it is not given. */
export function flag(meaning: string): Parameter<boolean> {
  return {
    meaning,
    schema: { type: "boolean", default: false },
    bound: "true or false",
    unset: false,
    read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  };
}

interface DurationBounds<Unset> {
  readonly meaning: string;
  readonly most: string;
  readonly unset: Unset;
  /** What is meant when it is not given, where that is not `unset`. */
  readonly meant?: string;
}

/** In whole milliseconds, rounded up: who waits does not wait less than asked for. */
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

/** Of a trace, in lowercase; a part of a path is always given. */
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
