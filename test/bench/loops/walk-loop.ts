import { opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import { assert } from "../../../src/domain/assert.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { timeAlternately, type Turns } from "../alternate-timing.ts";
import type { RequestShape } from "../request-corpus.ts";

const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
const walked = createWalkedRequest({ spansPerRequest: 100_000, nestingDepth: 100 });

/**
 * Returns nanoseconds per span, one sample per round, for the walk and for protobufjs on the same
 * bytes.
 */
export function timeWalk(
  { bytes, spanCount }: RequestShape,
  turns: Turns,
): { walk: number[]; decode: number[] } {
  const walk = { spanCount, run: () => walkRequest(walked, bytes) };
  const decode = { spanCount, run: () => void ExportTraceServiceRequest.decode(bytes) };
  walk.run();
  assert(walked.fault === NO_FAULT && walked.spanCount === spanCount, "all spans are valid");
  const [walkNs, decodeNs] = timeAlternately([walk, decode], turns);
  return { walk: walkNs!, decode: decodeNs! };
}
