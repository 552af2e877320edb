import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import type { TraceSpan } from "../../../src/domain/trace-span.ts";
import type { TraceBufferPort } from "../../../src/ports/trace-buffer.ts";

const capacity = { spans: 1_000, bytes: 16 * 1024 * 1024 };
export const ring = ObservabilityBuffer.create(capacity, { codec: new ProtobufSpanCodec() });

/** Adds a span; returns the oldest hundred spans once there are as many. */
export function keep(buffer: TraceBufferPort, span: TraceSpan): TraceSpan[] {
  if (!buffer.addSpan(span)) throw new Error("the span is not valid, or larger than the buffer");
  return buffer.size() >= 100 ? buffer.getSpans(100) : [];
}
