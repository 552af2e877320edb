/**
 * What a reader asks of a span. All conditions of a filter must hold; a filter without conditions
 * matches every span. They are in the order in which they were written, which a wait that fails
 * needs to tell what it would have found without the last one.
 */
export type SpanFilter = readonly SpanCondition[];

export type SpanCondition =
  | { readonly on: "service" | "name"; readonly value: string }
  /** Lowercase hex, of 32 and of 16 digits. */
  | { readonly on: "trace_id" | "span_id"; readonly value: string }
  /** SpanKind and StatusCode, as numbers. */
  | { readonly on: "kind" | "status"; readonly value: number }
  /** Of the span, or where it has none of that key, of its resource. */
  | { readonly on: "attribute"; readonly key: string; readonly value: string }
  /** A span whose start or end is not set lasts an unknown time, and does not match. */
  | { readonly on: "min_duration"; readonly durationNano: bigint }
  /** Of the span's start: since <= start < until. A span whose start is not set matches neither. */
  | { readonly on: "since" | "until"; readonly unixNano: bigint };

/** The words of query parameters, of `--expect`, and of the options of the command line. */
export const CONDITION_NAMES = [
  "service",
  "name",
  "trace_id",
  "span_id",
  "kind",
  "status",
  "attribute",
  "min_duration",
  "since",
  "until",
] as const satisfies readonly SpanCondition["on"][];
