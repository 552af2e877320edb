import { assembleRequest } from "../../../domain/wire/assemble.ts";
import { everySpan, rowsOf } from "../../../domain/wire/request-spans.ts";

/**
 * A request that the walk accepted, cut into requests of at most so many spans. Each span keeps its
 * bytes, also one that is not valid: a receiver is to judge it. What is around them is repeated.
 */
export function* protoSlices(request: Uint8Array, maxSpans: number): Generator<Uint8Array> {
  const whole = { bytes: request, offset: 0, length: request.length };
  const table = everySpan(whole);
  for (let first = 0; first < table.spanCount; first += maxSpans) {
    yield assembleRequest(whole, rowsOf(table, { first, end: first + maxSpans }));
  }
}
