import { isValidId, SPAN_ID_BYTES, TRACE_ID_BYTES } from "../span-validity.ts";
import { textBetween, uint64At } from "./scalar-bytes.ts";
import { ABSENT, type SpanFields } from "./span-fields.ts";

/** What the summary of a trace needs of each of its spans. */
export interface SpanDigest {
  /** 32 hex digits, lowercase. */
  readonly traceId: string;
  readonly hasParent: boolean;
  readonly name: string;
  /** 0n when it is not set. */
  readonly startTimeUnixNano: bigint;
  /** 0n when it is not set. */
  readonly endTimeUnixNano: bigint;
  /** StatusCode: 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
}

/** Of a span whose fields have been read, while its bytes are still the same. */
export function digestSpan(fields: SpanFields): SpanDigest {
  return {
    traceId: traceIdHex(fields),
    hasParent: hasParent(fields),
    name: spanName(fields),
    startTimeUnixNano: timeAt(fields, fields.startTimeAt),
    endTimeUnixNano: timeAt(fields, fields.endTimeAt),
    statusCode: fields.statusCode,
  };
}

export function traceIdHex({ bytes, traceIdAt }: SpanFields): string {
  return bytes.subarray(traceIdAt, traceIdAt + TRACE_ID_BYTES).toHex();
}

/** Returns the identifier of the span, in lowercase hex. */
export function spanIdHex({ bytes, spanIdAt }: SpanFields): string {
  return bytes.subarray(spanIdAt, spanIdAt + SPAN_ID_BYTES).toHex();
}

/** Returns the identifier of the parent; empty when there is none. */
export function parentIdHex({ bytes, parentStart, parentEnd }: SpanFields): string {
  return bytes.subarray(parentStart, parentEnd).toHex();
}

/** A parent of zeros, as some senders write it on a root span, is none. */
export function hasParent({ bytes, parentStart, parentEnd }: SpanFields): boolean {
  return isValidId(bytes, parentStart, parentEnd);
}

export function spanName({ bytes, nameStart, nameEnd }: SpanFields): string {
  return textBetween(bytes, nameStart, nameEnd);
}

/** Unix nanoseconds; 0 where the span has no such field. */
function timeAt({ bytes }: SpanFields, at: number): bigint {
  return at === ABSENT ? 0n : uint64At(bytes, at);
}
