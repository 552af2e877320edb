import type { TraceSpan } from "../domain/trace-span.ts";

/** Spans to and from the bytes of an `ExportTraceServiceRequest`. */
export interface SpanCodec {
  /** One request that holds this one span, with its resource and scope. */
  encode(span: TraceSpan): Uint8Array<ArrayBuffer>;
  /** Every span of a request that the wire walk accepted, in wire order. */
  decode(request: Uint8Array): TraceSpan[];
}
