import { SPAN_ID_BYTES, TRACE_ID_BYTES } from "../span-validity.ts";
import { quotePeerText } from "../text/quote-text.ts";
import { attributeKey, type FilterKey, nameKey, rankedKeys, traceKey } from "./filter-key.ts";
import {
  choice,
  duration,
  identifier,
  instant,
  nonEmptyText,
  type OperandParser,
  readAttribute,
  text,
} from "./condition-operand.ts";
import { readComparedAttribute } from "./wanted-attribute.ts";

/** Describes one condition: how to parse, document, index and write it as an option. */
interface ConditionRow<Operand> extends OperandParser<Operand> {
  /** Describes the query parameter of the read API. */
  readonly meaning: string;
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
export const KINDS = [
  "unspecified",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
] as const;
export const STATUSES = ["unset", "ok", "error"] as const;

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
  text: row({
    ...nonEmptyText("a text that is not empty"),
    meaning:
      "Spans with this text in their name, status message or attribute values, in those of their " +
      "events and links, or in an attribute value of their resource. Numbers and booleans must " +
      "equal it. ASCII letters match in either case.",
    option: { value: "TEXT", meaning: "spans with this text in a name or an attribute value" },
  }),
  name: row({
    ...text("the name of a span"),
    meaning: "Spans with exactly this name.",
    option: { value: "NAME", meaning: "spans with exactly this name" },
    key: ({ value }) => nameKey(value),
  }),
  name_contains: row({
    ...nonEmptyText("a text that is not empty"),
    meaning: "Spans with this text in their name. ASCII letters match in either case.",
    option: { value: "TEXT", meaning: "spans with this text in their name" },
  }),
  name_matches: row({
    ...text("a pattern for the name of a span"),
    meaning:
      "Spans whose whole name has this pattern, in which `*` stands for any text, such as " +
      "`GET /orders/*`. ASCII letters match in either case.",
    option: { value: "PATTERN", meaning: "spans with such a name; * stands for any text" },
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
  links_to: row({
    ...identifier(TRACE_ID_BYTES, SPAN_ID_BYTES),
    meaning: "Spans with a link to this trace (32 hex digits) or to this span (16 hex digits).",
    option: { value: "ID", meaning: "spans with a link to this trace or this span" },
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
  /** An attribute hides one of the resource with the same key, as for `attribute`. */
  attribute_exists: repeatable({
    ...nonEmptyText("the key of an attribute"),
    meaning: "Spans that have an attribute with this key, or whose resource has one. Repeatable.",
    option: {
      value: "KEY",
      meaning: "spans that have this attribute, or whose resource has it; repeatable",
    },
  }),
  /** The value is a string; numbers and booleans have no pattern. */
  attribute_matches: repeatable({
    bound: "key=pattern, with a key that is not empty, such as http.route=/orders/*",
    read: readAttribute,
    meaning:
      "`key=pattern`: spans with such a text as a whole, in which `*` stands for any text; if a " +
      "span lacks the key, that of its resource counts. ASCII letters match in either case. " +
      "Repeatable.",
    pattern: "^[^=]+=",
    option: {
      value: "KEY=PATTERN",
      meaning: "spans with such an attribute; * stands for any text; repeatable",
    },
  }),
  attribute_number: repeatable({
    bound: "a key, one of >=, <=, > and <, and a number, such as http.response.status_code>=500",
    read: readComparedAttribute,
    meaning:
      "`key>=number`, or with `<=`, `>` or `<`: spans with such a number; if a span lacks the " +
      "key, that of its resource counts. Other values do not match. Repeatable.",
    pattern: String.raw`^[^<>]+(>=|<=|>|<)\s*[-+.\deE]+$`,
    option: {
      value: "KEY>=N",
      meaning: "spans with such a number: 'http.response.status_code>=500'; repeatable",
    },
  }),
  /** A span without a start or an end has no known duration and does not match. */
  min_duration: row({
    ...duration(),
    meaning:
      "Spans of at least this duration, such as `250ms`; without a start or an end, none matches.",
    option: { value: "TIME", meaning: "spans that took at least this long: 250ms, 1.5s" },
  }),
  max_duration: row({
    ...duration(),
    meaning:
      "Spans of at most this duration, such as `10ms`; without a start or an end, none matches.",
    option: { value: "TIME", meaning: "spans that took at most this long: 10ms" },
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
