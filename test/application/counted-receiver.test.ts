import { expect, test } from "bun:test";
import { CountedReceiver } from "../../src/application/counted-receiver.ts";
import { ReceiveTraces } from "../../src/application/receive-traces.ts";
import { HandMovedClock } from "../support/hand-moved-clock.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { request, requestOf, resourceSpans, span, spanBody } from "../support/request-bytes.ts";
import { searchedRing } from "../support/searched-ring.ts";
import { bytesField } from "../support/wire-bytes.ts";

const bad = bytesField(2, bytesField(5, "no identifiers"));
const SPAN_BYTES = spanBody(1).length;

function receivers() {
  const clock = new HandMovedClock();
  const limits = { spansPerRequest: 10, nestingDepth: 10 };
  const logger = new RecordingLogger();
  const { buffer } = searchedRing();
  const receiver = new ReceiveTraces({ buffer, limits, logger, clock });
  const [one, other] = [1, 2].map(() => new CountedReceiver({ receiver, clock }));
  return { receiver, one: one!, other: other! };
}

test("requests are counted by their outcome, by the protocol that they came by", () => {
  const { receiver, one, other } = receivers();

  one.receive(requestOf(2));
  one.receive(request(resourceSpans("shop", span(1), bad)));
  one.receive(Uint8Array.of(0xff));
  other.receive(requestOf(11));
  receiver.stop();
  other.receive(requestOf(1));

  expect(one.requests).toMatchObject({ accepted: 1, partly_rejected: 1, malformed: 1 });
  expect(other.requests).toMatchObject({ accepted: 0, too_large: 1, stopping: 1 });
});

test("spans are counted in spans and in bytes, accepted and rejected, with their faults", () => {
  const { one } = receivers();

  one.receive(requestOf(2));
  one.receive(request(resourceSpans("shop", span(1), bad, bad)));
  one.receive(requestOf(1));

  expect(one.total).toMatchObject({
    acceptedSpans: 4,
    acceptedBytes: 4 * SPAN_BYTES,
    rejectedSpans: 2,
    rejectedBytes: 2 * (bad.length - 2),
  });
  expect([...one.total.rejectedByFault]).toEqual([2, 2, 0, 0]);
});

test("what is not kept adds to no span", () => {
  const { receiver, one } = receivers();
  one.receive(requestOf(2));

  one.receive(Uint8Array.of(0xff));
  receiver.stop();
  one.receive(requestOf(2));

  expect(one.total.acceptedSpans).toBe(2);
});

test("every request is in both histograms", () => {
  const { one } = receivers();

  one.receive(requestOf(1));
  one.receive(new Uint8Array(5000).fill(0xff));

  expect([...one.requestBytes.counts]).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0]);
  expect([...one.receiveSeconds.counts]).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(one.requestBytes.sum).toBe(requestOf(1).length + 5000);
});
