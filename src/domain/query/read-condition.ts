import { quotePeerText } from "../text/quote-text.ts";
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from "../span-validity.ts";
import { CONDITION_NAMES, type SpanCondition } from "./span-filter.ts";
import { readDuration, readInstant } from "./time-text.ts";

/** One sentence that says what is wrong, and what would be right; fit for a log line. */
export interface ConditionMistake {
  readonly mistake: string;
}

export type ConditionName = SpanCondition["on"];

/** Reads the text of a condition; undefined when it is none. */
type ReadText = (text: string, nowUnixNano: bigint) => SpanCondition | undefined;

interface Wording {
  /** Completes "must be ...". */
  readonly bound: string;
  readonly read: ReadText;
}

/** By number, as OTLP has them. */
const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const STATUSES = ["unset", "ok", "error"];

const WORDINGS: Readonly<Record<ConditionName, Wording>> = {
  service: { bound: "the name of a service", read: (value) => ({ on: "service", value }) },
  name: { bound: "the name of a span", read: (value) => ({ on: "name", value }) },
  trace_id: identifier("trace_id", TRACE_ID_BYTES),
  span_id: identifier("span_id", SPAN_ID_BYTES),
  kind: choice("kind", KINDS),
  status: choice("status", STATUSES),
  attribute: { bound: "key=value, with a key that is not empty", read: readAttribute },
  min_duration: {
    bound: "a duration: a number with ns, us, ms, s, m or h, such as 250ms or 1.5s",
    read: readMinDuration,
  },
  since: instant("since"),
  until: instant("until"),
};

/**
 * One condition as people write it: `name=GET /`, `kind=server`, `min_duration=250ms`, `since=5m`.
 */
export function readCondition(
  name: string,
  text: string,
  nowUnixNano: bigint,
): SpanCondition | ConditionMistake {
  if (!isConditionName(name)) {
    const known = CONDITION_NAMES.join(", ");
    return { mistake: `unknown condition "${quotePeerText(name)}"; known: ${known}` };
  }
  const { bound, read } = WORDINGS[name];
  const mistake = `${name} is "${quotePeerText(text)}"; it must be ${bound}`;
  return read(text, nowUnixNano) ?? { mistake };
}

function isConditionName(name: string): name is ConditionName {
  return CONDITION_NAMES.some((known) => known === name);
}

function identifier(on: "trace_id" | "span_id", lengthBytes: number): Wording {
  const digits = lengthBytes * 2;
  const isIdentifier = (text: string) => text.length === digits && /^[\da-f]+$/i.test(text);
  return {
    bound: `${digits} hex digits`,
    read: (text) => (isIdentifier(text) ? { on, value: text.toLowerCase() } : undefined),
  };
}

/** A word in capitals or not, or its number. */
function choice(on: "kind" | "status", words: readonly string[]): Wording {
  const read: ReadText = (text) => {
    const word = text.toLowerCase();
    const value = words.findIndex((known, index) => word === known || text === String(index));
    return value < 0 ? undefined : { on, value };
  };
  return { bound: `one of ${words.join(", ")}, or a number from 0 to ${words.length - 1}`, read };
}

/** Split at the first "=", so that a value may hold one. */
function readAttribute(text: string): SpanCondition | undefined {
  const split = text.indexOf("=");
  if (split < 1) return undefined;
  return { on: "attribute", key: text.slice(0, split), value: text.slice(split + 1) };
}

function readMinDuration(text: string): SpanCondition | undefined {
  const durationNano = readDuration(text);
  return durationNano === undefined ? undefined : { on: "min_duration", durationNano };
}

function instant(on: "since" | "until"): Wording {
  return {
    bound:
      "a time (2026-01-31T12:00:00Z), a date (2026-01-31, in UTC), a Unix time of 10 digits (s), " +
      "13 (ms), 16 (us) or 19 (ns), or how long ago (5m)",
    read: (text, nowUnixNano) => {
      const unixNano = readInstant(text, nowUnixNano);
      return unixNano === undefined ? undefined : { on, unixNano };
    },
  };
}
