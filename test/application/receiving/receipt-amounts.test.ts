import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { ReceiveTraces } from "../../../src/application/receiving/receive-traces.ts";
import {
  ObservabilityBuffer,
  type OverflowPolicy,
} from "../../../src/application/ring/observability-buffer.ts";
import { assert } from "../../../src/domain/assert.ts";
import type { Receipt, ReceivedAmounts } from "../../../src/domain/receipt.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { request, requestOf, span, spanBody } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

// Goal: a receipt has the amounts of its own request, without an allocation.

function receiver(spans = 100, overflowPolicy: OverflowPolicy = "drop_oldest") {
  const options = { codec: new ProtobufSpanCodec(), overflowPolicy };
  const buffer = ObservabilityBuffer.create({ spans, bytes: 1 << 16 }, options);
  const clock = new HandMovedClock();
  const limits = { spansPerRequest: 10, nestingDepth: 10 };
  const receive = new ReceiveTraces({ buffer, limits, logger: new RecordingLogger(), clock });
  return { buffer, clock, receive };
}

/** Returns the amounts of a request that was stored. */
function amountsOf(receipt: Receipt): ReceivedAmounts {
  assert("amounts" in receipt, "the request was stored");
  return receipt.amounts;
}

const bad = bytesField(2, bytesField(5, "bad"));
const scoped = (...fields: number[][]) => request(bytesField(1, bytesField(2, ...fields)));

test("a receipt says how many spans were evicted for its request", () => {
  const { receive } = receiver(2);

  const evicted = [2, 1, 2, 0].map((count) => {
    return amountsOf(receive.receive(requestOf(count))).evictedSpans;
  });

  expect(evicted).toEqual([0, 1, 2, 0]);
});

test("a receipt says when the append of its request began", () => {
  const { receive, clock } = receiver();
  clock.moveMs(5);

  const receipt = receive.receive(requestOf(1));

  expect(amountsOf(receipt).appendStartMs).toBe(clock.monotonicMs());
});

test("a receipt counts its own request only, even after one with rejected spans", () => {
  const { receive } = receiver();
  const rejecting = amountsOf(receive.receive(scoped(span(1), bad)));
  const before = { ...rejecting, rejectedByFault: [...rejecting.rejectedByFault] };

  const after = amountsOf(receive.receive(requestOf(2)));

  const bytes = spanBody(1).length;
  expect(before).toMatchObject({ acceptedSpans: 1, acceptedBytes: bytes, rejectedSpans: 1 });
  expect(before.rejectedByFault).toEqual([1, 1, 0, 0]);
  expect(after).toMatchObject({ acceptedSpans: 2, rejectedSpans: 0, rejectedBytes: 0 });
  expect([...after.rejectedByFault]).toEqual([0, 0, 0, 0]);
  expect([...after.rejectedBytesByFault]).toEqual([0, 0, 0, 0]);
});

test("the faults of a refused request do not count for the next one", () => {
  const { receive, buffer } = receiver(1, "refuse");
  receive.receive(requestOf(1));
  receive.receive(scoped(span(2), bad));
  buffer.clear();

  const { rejectedByFault } = amountsOf(receive.receive(requestOf(1)));

  expect([...rejectedByFault]).toEqual([0, 0, 0, 0]);
});

test("usual requests share one receipt, so that none is allocated", () => {
  const { receive } = receiver();

  expect(receive.receive(requestOf(1))).toBe(receive.receive(requestOf(1, 2)));
});
