/**
 * Defines when a span is valid, and the messages to senders of invalid spans.
 *
 * A parent id of zeros means no parent. A link may have no identifiers, or identifiers of zeros:
 * the trace API requires links with an empty SpanContext to be recorded if they have attributes or
 * a trace state.
 *
 * Source: opentelemetry-proto, trace/v1/trace.proto, the comments on the identifiers; OpenTelemetry
 * specification, trace/api.md, "Link".
 */

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

/** The faults of one span as bits, so that one number holds all of them. */
export const BAD_TRACE_ID = 1;
export const BAD_SPAN_ID = 2;
export const BAD_PARENT_SPAN_ID = 4;
export const BAD_LINK = 8;

/** The remedies, in the order of the bits. */
const REMEDIES = [
  "trace_id must be 16 bytes, not all zero",
  "span_id must be 8 bytes, not all zero",
  "parent_span_id must be empty or 8 bytes",
  "a link's trace_id must be empty or 16 bytes, its span_id empty or 8 bytes",
] as const;

export const FAULT_KINDS = REMEDIES.length;

/** The names of the faults in metrics, in the order of the bits. */
export const FAULT_NAMES = ["trace_id", "span_id", "parent_span_id", "link"] as const;

/**
 * Returns the message for a sender. `countByFault[i]` is the number of spans with fault bit `1 <<
 * i`; one span may have several.
 */
export function explainRejection(rejectedSpans: number, countByFault: Uint32Array): string {
  const reasons = REMEDIES.map((remedy, index) => ({ remedy, count: countByFault[index]! }))
    .filter(({ count }) => count > 0)
    .map(({ remedy, count }) => `${count} x ${remedy}`);
  const spans = rejectedSpans === 1 ? "1 span was" : `${rejectedSpans} spans were`;
  return `${spans} rejected: ${reasons.join("; ")}. All other spans were kept.`;
}

/** Reports whether an identifier has a byte other than zero. The caller has checked its length. */
export function isValidId(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== 0) return true;
  }
  return false;
}
