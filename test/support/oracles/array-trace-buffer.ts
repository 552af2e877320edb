import type { SpanLink, TraceSpan } from "../../../src/domain/trace-span.ts";
import type { TraceBufferPort } from "../../../src/ports/trace-buffer.ts";

/** The plainest `TraceBufferPort`: an array. */
export class ArrayTraceBuffer implements TraceBufferPort {
  private readonly capacitySpans: number;
  private spans: TraceSpan[] = [];

  constructor(capacitySpans: number) {
    this.capacitySpans = capacitySpans;
  }

  addSpan(span: TraceSpan): boolean {
    if (!isValid(span)) return false;
    this.spans = [...this.spans, span].slice(-this.capacitySpans);
    return true;
  }

  getSpans(count: number): TraceSpan[] {
    return this.spans.splice(0, Math.max(0, count));
  }

  size(): number {
    return this.spans.length;
  }

  isFull(): boolean {
    return this.spans.length === this.capacitySpans;
  }
}

function isValid(span: TraceSpan): boolean {
  const parent = span.parentSpanId ?? "";
  return hasValidIds(span) && /^([0-9a-f]{16})?$/.test(parent) && span.links.every(isValidLink);
}

function hasValidIds({ traceId, spanId }: TraceSpan): boolean {
  const isHex = /^[0-9a-f]{32}$/.test(traceId) && /^[0-9a-f]{16}$/.test(spanId);
  return isHex && !/^0*$/.test(traceId) && !/^0*$/.test(spanId);
}

function isValidLink({ traceId, spanId }: SpanLink): boolean {
  return /^([0-9a-f]{32})?$/.test(traceId) && /^([0-9a-f]{16})?$/.test(spanId);
}
