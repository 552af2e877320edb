import { assert } from "../../../src/domain/assert.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { serverRequestShape } from "../request-corpus.ts";

export const SPANS_A_TRACE = 10;

const TRACE_ID_BYTES = 16;

/**
 * Yields requests of server spans in ever new traces. Building a million spans would take longer
 * than everything measured, so the numbers are written into one request, which is the same object
 * each time.
 */
export function* numberedRequests(spanCount: number, total: number): Generator<Uint8Array> {
  const { bytes } = serverRequestShape(spanCount);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const walked = createWalkedRequest({ spansPerRequest: spanCount, nestingDepth: 100 });
  walkRequest(walked, bytes);
  assert(walked.spanCount === spanCount, "every span of the shape is valid");
  for (let first = 0; first < total; first += spanCount) {
    for (let row = 0; row < spanCount; row += 1) {
      const at = walked.spanTraceId[row]! + TRACE_ID_BYTES - 4;
      view.setUint32(at, scattered(Math.floor((first + row) / SPANS_A_TRACE)));
    }
    yield bytes;
  }
}

/** Returns the trace identifier of the spans of a trace, as text. */
export function traceIdOf(trace: number): string {
  return `ab${"07".repeat(11)}${scattered(trace).toString(16).padStart(8, "0")}`;
}

/**
 * Returns an identifier like those of SDKs: spread over the whole range, and each only once,
 * because the factor is odd.
 */
function scattered(trace: number): number {
  return Math.imul(trace + 1, 0x9e3779b1) >>> 0;
}
