/**
 * When a span is valid, and what to tell a sender whose span is not.
 *
 * A parent id of zeros means the same as none. A link may lack an identifier too, or have one of
 * zeros: the trace API has links with an empty SpanContext recorded for what else they carry.
 *
 * Source: opentelemetry-proto, trace/v1/trace.proto, the comments on the identifiers; OpenTelemetry
 * specification, trace/api.md, "Link".
 */

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

/** Faults of one span, as bits, so that one number tells all of them. */
export const BAD_TRACE_ID = 1;
export const BAD_SPAN_ID = 2;
export const BAD_PARENT_SPAN_ID = 4;
export const BAD_LINK = 8;

/** In the order of the bits. */
const MENDS = [
  "trace_id must be 16 bytes, not all zero",
  "span_id must be 8 bytes, not all zero",
  "parent_span_id must be empty or 8 bytes",
  "a link's trace_id must be empty or 16 bytes, its span_id empty or 8 bytes",
] as const;

export const FAULT_KINDS = MENDS.length;

/** In the order of the bits, as words of a metric. */
export const FAULT_NAMES = ["trace_id", "span_id", "parent_span_id", "link"] as const;

/** `countByFault[i]` is the number of spans with fault bit `1 << i`; a span may have several. */
export function explainRejection(rejectedSpans: number, countByFault: Uint32Array): string {
  const reasons = MENDS.map((mend, index) => ({ mend, count: countByFault[index]! }))
    .filter(({ count }) => count > 0)
    .map(({ mend, count }) => `${count} x ${mend}`);
  const spans = rejectedSpans === 1 ? "1 span was" : `${rejectedSpans} spans were`;
  return `${spans} rejected: ${reasons.join("; ")}. All other spans were kept.`;
}

/** Reports whether an identifier is not all zero. The caller has checked its length. */
export function isValidId(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== 0) return true;
  }
  return false;
}
