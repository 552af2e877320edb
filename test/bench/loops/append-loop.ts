import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { assert } from "../../../src/domain/assert.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { timeAlternately, type Turns } from "../alternate-timing.ts";
import type { RequestShape } from "../request-corpus.ts";

const CAPACITY = { spans: 10_000, bytes: 64 * 2 ** 20 };

const walked = createWalkedRequest({ spansPerRequest: 100_000, nestingDepth: 100 });

/**
 * Returns nanoseconds per span, one sample per round, for walk and append together and for the walk
 * alone.
 */
export function timeAppend(
  { bytes, spanCount }: RequestShape,
  turns: Turns,
): { append: number[]; walk: number[] } {
  const buffer = emptyRing();
  const append = () => {
    walkRequest(walked, bytes);
    buffer.append(walked);
  };
  const [appendNs, walkNs] = timeAlternately(
    [
      { spanCount, run: append },
      { spanCount, run: () => walkRequest(walked, bytes) },
    ],
    turns,
  );
  assert(buffer.stats().spans.evicted > 0, "the ring is full and evicts");
  return { append: appendNs!, walk: walkNs! };
}

/**
 * Returns the same for append, lease and delivery together, and for append and take, the ways in
 * which spans leave.
 */
export function timeDelivery(
  { bytes, spanCount }: RequestShape,
  turns: Turns,
): { delivery: number[]; take: number[] } {
  const [forwarding, taking] = [emptyRing(), emptyRing()];
  const limit = { spans: spanCount, bytes: CAPACITY.bytes };
  const deliver = () => {
    walkRequest(walked, bytes);
    forwarding.append(walked);
    forwarding.settle(forwarding.lease(limit)!, "delivered");
  };
  const take = () => {
    walkRequest(walked, bytes);
    taking.append(walked);
    taking.take(spanCount);
  };
  const [deliveryNs, takeNs] = timeAlternately(
    [
      { spanCount, run: deliver },
      { spanCount, run: take },
    ],
    turns,
  );
  assert(forwarding.stats().spans.buffered === 0, "all that is leased is delivered");
  return { delivery: deliveryNs!, take: takeNs! };
}

function emptyRing(): ObservabilityBuffer {
  return ObservabilityBuffer.create(CAPACITY, { codec: new ProtobufSpanCodec() });
}
