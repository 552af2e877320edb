import { assembleRequest } from "./assemble.ts";
import { everySpan, rowsOf, type SpanPlaces } from "./request-spans.ts";

/**
 * A request that holds these spans of another one and no others, each with all that is around it;
 * see `assembleRequest`. The runs ascend.
 *
 * Needs a request that the walk accepted and rejected no span of, and at least one span.
 */
export function cutRequest(
  request: Uint8Array,
  ...runs: readonly SpanPlaces[]
): Uint8Array<ArrayBuffer> {
  const whole = { bytes: request, offset: 0, length: request.length };
  return assembleRequest(whole, rowsOf(everySpan(whole), ...runs));
}
