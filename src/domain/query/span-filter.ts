import { SPAN_ID_BYTES, TRACE_ID_BYTES } from "../span-validity.ts";
import { quotePeerText } from "../text/quote-text.ts";
import { attributeKey, type FilterKey, nameKey, rankedKeys, traceKey } from "./filter-key.ts";
import { readDuration, readInstant } from "./time-text.ts";

/** Describes one condition: how to parse, document, index and write it as an option. */
interface ConditionRow<Operand> {
  /** Completes "must be ...". */
  readonly bound: string;
  /** Parses a condition; returns undefined for an invalid one. */
  readonly read: (text: string, nowUnixNano: bigint) => Operand | undefined;
  /** Describes the query parameter of the read API. */
  readonly meaning: string;
  /** The pattern that the API description gives for the parameter. */
  readonly pattern?: string;
  /** Whether it may be given several times, in which case all of them must hold. */
  readonly isRepeatable?: boolean;
  /** The option of the command line: a placeholder for its value, and its help text. */
  readonly option: OptionText;
  /** Returns the key by which a waiting filter is indexed; absent if this condition has none. */
  readonly key?: (operand: Operand) => FilterKey;
}

interface Repeatable {
  readonly isRepeatable: true;
}

interface OptionText {
  readonly value: string;
  readonly meaning: string;
  /** The values, if they are a few words. */
  readonly words?: readonly string[];
}

/** The words of SpanKind and StatusCode. The index of a word is its number in OTLP. */
const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
const STATUSES = ["unset", "ok", "error"] as const;

const INSTANT =
  "RFC 3339, a date (UTC), a Unix time of 10 (s), 13 (ms), 16 (us) or 19 (ns) digits, or a " +
  "duration before now such as `5m`. Spans without a start do not match";

/**
 * All conditions. The query parameters, `--expect`, `waitFor()`, the options of the command line,
 * the help and the API description derive from this table; `span-matcher.ts` tests spans.
 */
const CONDITIONS = {
  service: row({
    ...text("the name of a service"),
    meaning: "Spans of the service with this name; `unknown_service` if the resource has none.",
    option: { value: "NAME", meaning: "spans of this service" },
    key: ({ value }) => ({ on: "service", value }),
  }),
  name: row({
    ...text("the name of a span"),
    meaning: "Spans with exactly this name.",
    option: { value: "NAME", meaning: "spans with exactly this name" },
    key: ({ value }) => nameKey(value),
  }),
  trace_id: row({
    ...identifier(TRACE_ID_BYTES),
    meaning: "Spans of this trace: 32 hex digits.",
    option: {
      value: "ID",
      meaning: "spans of this trace, 32 hex digits; get and traces accept 4 or more",
    },
    key: ({ value }) => traceKey(value),
  }),
  span_id: row({
    ...identifier(SPAN_ID_BYTES),
    meaning: "The span with this identifier: 16 hex digits.",
    option: { value: "ID", meaning: "the span with this id, 16 hex digits" },
  }),
  kind: row({
    ...choice(KINDS),
    meaning: `Spans of this kind: ${KINDS.join(", ")}, or 0-5.`,
    option: { value: "KIND", meaning: `span kind: ${KINDS.join(", ")}`, words: KINDS },
  }),
  status: row({
    ...choice(STATUSES),
    meaning: `Spans with this status: ${STATUSES.join(", ")}, or 0-2.`,
    option: {
      value: "STATUS",
      meaning: `span status: ${STATUSES.join(", ")}`,
      words: STATUSES,
    },
  }),
  /**
   * Tests an attribute of the span or, if the span has no attribute with that key, of its resource.
   */
  attribute: repeatable({
    bound: "key=value, with a key that is not empty",
    read: readAttribute,
    meaning:
      "`key=value`, split at the first `=`: spans with this attribute; if a span lacks the key, " +
      "that of its resource counts. Numbers and booleans are compared by value. Repeatable.",
    pattern: "^[^=]+=",
    option: {
      value: "KEY=VALUE",
      meaning: "spans with this attribute, their own or their resource's; repeatable",
    },
    key: attributeKey,
  }),
  /** A span without a start or an end has no known duration and does not match. */
  min_duration: row({
    bound: "a duration: a number with ns, us, ms, s, m or h, such as 250ms or 1.5s",
    read: readMinDuration,
    meaning:
      "Spans of at least this duration, such as `250ms`; without a start or an end, none matches.",
    option: { value: "TIME", meaning: "spans that took at least this long: 250ms, 1.5s" },
  }),
  /** Means since <= start < until. A span without a start does not match. */
  since: row({
    ...instant(),
    meaning: `Spans that start at this time or later: ${INSTANT}.`,
    option: {
      value: "WHEN",
      meaning: "spans that began at this time or later: RFC 3339, date, Unix time, 5m (ago)",
    },
  }),
  until: row({
    ...instant(),
    meaning: `Spans that start before this time: ${INSTANT}.`,
    option: { value: "WHEN", meaning: "spans that began before this time" },
  }),
};

export type ConditionName = keyof typeof CONDITIONS;

/** The names of conditions that may be given several times. */
export type RepeatableName = {
  [Name in ConditionName]: (typeof CONDITIONS)[Name] extends Repeatable ? Name : never;
}[ConditionName];

type OperandOf<Row> = Row extends ConditionRow<infer Operand> ? Operand : never;

export type SpanCondition = {
  readonly [Name in ConditionName]: { readonly on: Name } & OperandOf<(typeof CONDITIONS)[Name]>;
}[ConditionName];

/**
 * Selects spans for which all conditions hold; an empty filter matches every span. The conditions
 * keep the order in which they were written, because a wait that fails reports the spans that match
 * without the last one.
 */
export type SpanFilter = readonly SpanCondition[];

/** Explains in one sentence what is wrong and what would be right. It is safe for a log line. */
export interface ConditionMistake {
  readonly mistake: string;
}

export const CONDITION_NAMES = Object.keys(CONDITIONS) as readonly ConditionName[];

export const CONDITION_ROWS: Readonly<
  Record<ConditionName, Omit<ConditionRow<unknown>, "read" | "key">>
> = CONDITIONS;

/**
 * Parses a condition as people write it: `name=GET /`, `kind=server`, `min_duration=250ms`,
 * `since=5m`.
 */
export function readCondition(
  name: string,
  written: string,
  nowUnixNano: bigint,
): SpanCondition | ConditionMistake {
  if (!isConditionName(name)) return unknownCondition(name, CONDITION_NAMES);
  const { bound, read } = CONDITIONS[name];
  const operand = read(written, nowUnixNano);
  const mistake = `${name} is "${quotePeerText(written)}"; it must be ${bound}`;
  // The operand belongs to the row of this name, which the compiler cannot infer.
  return operand === undefined ? { mistake } : ({ on: name, ...operand } as SpanCondition);
}

/** Returns the mistake of a name that is not among the known ones. */
export function unknownCondition(name: string, known: readonly string[]): ConditionMistake {
  return { mistake: `unknown condition "${quotePeerText(name)}"; known: ${known.join(", ")}` };
}

export function isConditionName(name: string): name is ConditionName {
  return Object.hasOwn(CONDITIONS, name);
}

/** Reports whether a condition may be given several times. All other names may not. */
export function isRepeatable(name: string): boolean {
  return isConditionName(name) && CONDITION_ROWS[name].isRepeatable === true;
}

/** Returns the keys of a filter, the most selective first; none if any span might match it. */
export function filterKeys(filter: SpanFilter): FilterKey[] {
  return rankedKeys(filter.flatMap((condition) => keyOf(condition) ?? []));
}

function keyOf(condition: SpanCondition): FilterKey | undefined {
  const { key } = CONDITIONS[condition.on] as ConditionRow<SpanCondition>;
  return key?.(condition);
}

/**
 * Returns a string that is equal for filters with equal conditions in the same order, and only for
 * those.
 */
export function filterText(filter: SpanFilter): string {
  return JSON.stringify(filter, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

/** Infers the operand of a row from its `read`. */
function row<Operand>(described: ConditionRow<Operand>): ConditionRow<Operand> {
  return described;
}

function repeatable<Operand>(described: ConditionRow<Operand>): ConditionRow<Operand> & Repeatable {
  return { ...described, isRepeatable: true };
}

function text(bound: string) {
  return { bound, read: (value: string) => ({ value }) };
}

/** Parses hex digits and returns them in lowercase. */
function identifier(lengthBytes: number) {
  const digits = lengthBytes * 2;
  const isIdentifier = (value: string) => value.length === digits && /^[\da-f]+$/i.test(value);
  return {
    bound: `${digits} hex digits`,
    pattern: `^[0-9A-Fa-f]{${digits}}$`,
    read: (value: string) => (isIdentifier(value) ? { value: value.toLowerCase() } : undefined),
  };
}

/** Parses a word, in any case, or its number. */
function choice(words: readonly string[]) {
  return {
    bound: `one of ${words.join(", ")}, or a number from 0 to ${words.length - 1}`,
    read: (written: string) => {
      const word = written.toLowerCase();
      const value = words.findIndex((known, at) => word === known || written === String(at));
      return value < 0 ? undefined : { value };
    },
  };
}

/** Splits at the first "=", so that a value may contain one. */
function readAttribute(written: string) {
  const split = written.indexOf("=");
  if (split < 1) return undefined;
  return { key: written.slice(0, split), value: written.slice(split + 1) };
}

function readMinDuration(written: string) {
  const durationNano = readDuration(written);
  return durationNano === undefined ? undefined : { durationNano };
}

function instant() {
  return {
    bound:
      "a time (2026-01-31T12:00:00Z), a date (2026-01-31, in UTC), a Unix time of 10 digits (s), " +
      "13 (ms), 16 (us) or 19 (ns), or how long ago (5m)",
    read: (written: string, nowUnixNano: bigint) => {
      const unixNano = readInstant(written, nowUnixNano);
      return unixNano === undefined ? undefined : { unixNano };
    },
  };
}
