import { assert } from "../../../src/domain/assert.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { serverRequestShape } from "../request-corpus.ts";

export const SPANS_A_TRACE = 10;

const TRACE_ID_BYTES = 16;

/**
 * Requests of server spans, one after the other, whose spans belong to ever new traces. Building a
 * million spans would take longer than all that is measured: the numbers are written into one
 * request instead, which is therefore the same object each time.
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

/** The trace identifier that spans of this trace have, as text. */
export function traceIdOf(trace: number): string {
  return `ab${"07".repeat(11)}${scattered(trace).toString(16).padStart(8, "0")}`;
}

/** As SDKs draw them: all over the range, and each only once, as the factor is odd. */
function scattered(trace: number): number {
  return Math.imul(trace + 1, 0x9e3779b1) >>> 0;
}
