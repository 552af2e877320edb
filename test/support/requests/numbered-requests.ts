import { request, resourceSpans, serverSpan, spanId, traceId } from "./request-bytes.ts";
import { bytesField } from "./wire-bytes.ts";

/** Returns requests of 500 spans as web servers emit them, numbered from 1. */
export function requestsOf(spanCount: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: spanCount / 500 }, (_, at) => {
    const spans = Array.from({ length: 500 }, (__, index) => serverSpan(1 + at * 500 + index));
    return request(resourceSpans(`service ${at % 7}`, ...spans));
  });
}

/** Returns a request of traces, each with this many spans, whose ids begin at `first`. */
export function tracesOf(
  traces: number,
  spansOfTrace: number,
  first: number,
): Uint8Array<ArrayBuffer> {
  const spans = Array.from({ length: traces * spansOfTrace }, (_, at) => {
    const ids = [bytesField(1, traceId(1 + (at % traces))), bytesField(2, spanId(first + at))];
    return bytesField(2, ...ids, bytesField(5, "checkout"));
  });
  return request(resourceSpans("shop", ...spans));
}

/** Returns a request with this many thousand spans without any field: invalid, but small. */
export function requestOfEmptySpans(thousands: number): Uint8Array<ArrayBuffer> {
  const thousand = Array.from({ length: 1_000 }, () => bytesField(2));
  const spans = resourceSpans("empty", ...thousand);
  return request(...Array.from({ length: thousands }, () => spans));
}
