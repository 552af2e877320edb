import type { TraceSpan } from "../../domain/trace-span.ts";
import type { SpanCodec } from "../../ports/trace-buffer.ts";
import { opentelemetry } from "./generated/otlp.js";
import { requestFromSpan, spansFromRequest } from "./span-message.ts";

const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;

/**
 * Converts spans to and from protobuf. `decode(encode(span))` equals the span, except that a parent
 * id of zeros becomes absent.
 *
 * Encoding does not throw: a span that cannot be encoded (an identifier that is not hex, attributes
 * nested too deeply) becomes bytes that the wire walk refuses. Decoding throws only on bytes that
 * the wire walk refuses.
 */
export class ProtobufSpanCodec implements SpanCodec {
  encode(span: TraceSpan): Uint8Array<ArrayBuffer> {
    const bytes = ExportTraceServiceRequest.encode(requestFromSpan(span)).finish();
    // A copy: the writer returns a view of a shared pool, which would stay in memory as a whole.
    return new Uint8Array(bytes);
  }

  decode(request: Uint8Array): TraceSpan[] {
    // A Buffer decodes strings natively, about three times as fast.
    const view = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    return spansFromRequest(ExportTraceServiceRequest.decode(view));
  }
}
