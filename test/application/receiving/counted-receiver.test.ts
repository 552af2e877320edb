import { expect, test } from "bun:test";
import { CountedReceiver, Histogram } from "../../../src/application/receiving/counted-receiver.ts";
import { type Receipt, zeroAmounts } from "../../../src/domain/receipt.ts";
import { ReceiveTraces } from "../../../src/application/receiving/receive-traces.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
  spanBody,
} from "../../support/requests/request-bytes.ts";
import { searchedRing } from "../../support/running/searched-ring.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import { AssertionError } from "../../../src/domain/assert.ts";

const bad = bytesField(2, bytesField(5, "no identifiers"));
const AMOUNTS = zeroAmounts();
const ACCEPTED: Receipt = { outcome: "accepted", amounts: AMOUNTS };
const SPAN_BYTES = spanBody(1).length;

const evicted = (): void => {};

function receivers(capacity?: { readonly spans: number; readonly bytes: number }) {
  const clock = new HandMovedClock();
  const limits = { spansPerRequest: 10, nestingDepth: 10 };
  const logger = new RecordingLogger();
  const { buffer } = searchedRing(capacity);
  const receiver = new ReceiveTraces({ buffer, limits, logger, clock });
  const evictions: string[] = [];
  const counted = (name: string) => {
    const note = (spanCount: number) => evictions.push(`${name} ${spanCount}`);
    return new CountedReceiver({ receiver, clock, evicted: note });
  };
  return { receiver, one: counted("one"), other: counted("other"), evictions };
}

test("requests are counted by outcome and by protocol", () => {
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

test("accepted and rejected spans are counted, in spans and bytes, with their faults", () => {
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
  const bytes = 2 * (bad.length - 2);
  expect([...one.total.rejectedBytesByFault]).toEqual([bytes, bytes, 0, 0]);
});

test("the bytes of a request are counted by its outcome, stored or not", () => {
  const { one } = receivers();

  one.receive(requestOf(2));
  one.receive(requestOf(1));
  one.receive(Uint8Array.of(0xff));
  one.turnedAway("too_large");

  const accepted = requestOf(2).length + requestOf(1).length;
  expect(one.bytesByOutcome).toMatchObject({ accepted, malformed: 1, too_large: 0, refused: 0 });
});

test.each([
  ["accepted", ACCEPTED],
  [
    "partly_rejected",
    { outcome: "partly_rejected", amounts: AMOUNTS, rejectedSpans: 1, message: "" },
  ],
  ["malformed", { outcome: "malformed", message: "" }],
  ["too_large", { outcome: "too_large", message: "" }],
  ["refused", { outcome: "refused", message: "", retryAfterMs: 1 }],
  ["stopping", { outcome: "stopping", message: "" }],
  ["failed", { outcome: "failed", message: "" }],
] as const satisfies [string, Receipt][])(
  "a request that is %s is counted once, under that outcome only",
  (outcome, receipt) => {
    const receiver = { receive: () => receipt };
    const counted = new CountedReceiver({ receiver, clock: new HandMovedClock(), evicted });

    const answer = counted.receive(new Uint8Array(0));

    expect(answer).toBe(receipt);
    const moved = Object.entries(counted.requests).filter(([, count]) => count !== 0);
    expect(moved).toEqual([[outcome, 1]]);
  },
);

test.each([
  { name: "the smallest bound", length: 256, at: 0 },
  { name: "one byte more", length: 257, at: 1 },
  { name: "the largest bound", length: 16 << 20, at: 8 },
  { name: "more than all bounds", length: (16 << 20) + 1, at: 9 },
])("a request with the length of $name is counted in its bucket", ({ length, at }) => {
  const { receiver, one } = receivers();
  receiver.stop();

  one.receive(new Uint8Array(length));

  expect(one.requestBytes.counts[at]).toBe(1);
});

test("the time that the receiver takes is observed in seconds", () => {
  const clock = new HandMovedClock();
  const receive = (): Receipt => {
    clock.moveMs(2);
    return ACCEPTED;
  };
  const counted = new CountedReceiver({
    receiver: { receive },
    clock,
    evicted,
  });

  counted.receive(new Uint8Array(0));

  expect(counted.receiveSeconds.sum).toBe(0.002);
  expect([...counted.receiveSeconds.counts]).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
});

test("the append is timed apart from the checks, and only if spans are stored", () => {
  const clock = new HandMovedClock();
  const amounts = zeroAmounts();
  const outcomes: Receipt[] = [
    { outcome: "accepted", amounts },
    { outcome: "malformed", message: "" },
  ];
  const receive = (): Receipt => {
    clock.moveMs(20);
    amounts.appendStartMs = clock.monotonicMs();
    clock.moveMs(2);
    return outcomes.shift()!;
  };
  const counted = new CountedReceiver({ receiver: { receive }, clock, evicted });

  counted.receive(new Uint8Array(0));
  counted.receive(new Uint8Array(0));

  expect([counted.receiveSeconds.sum, counted.appendSeconds.sum]).toEqual([0.044, 0.002]);
  expect([...counted.appendSeconds.counts]).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
});

test("the count of rejected spans may exceed 32 bits", () => {
  const amounts = { ...zeroAmounts(), rejectedSpans: 1 };
  amounts.rejectedByFault[0] = 2 ** 31;
  const rejected = { outcome: "partly_rejected", amounts, rejectedSpans: 1, message: "" } as const;
  const receiver = { receive: () => rejected };
  const counted = new CountedReceiver({ receiver, clock: new HandMovedClock(), evicted });

  for (let round = 0; round < 3; round += 1) counted.receive(new Uint8Array(0));

  expect(counted.total.rejectedByFault[0]).toBe(3 * 2 ** 31);
});

test("a request that is not stored counts no spans", () => {
  const { receiver, one } = receivers();
  one.receive(requestOf(2));

  one.receive(Uint8Array.of(0xff));
  receiver.stop();
  one.receive(requestOf(2));

  expect(one.total.acceptedSpans).toBe(2);
});

test("every request is observed in both histograms", () => {
  const { one } = receivers();

  one.receive(requestOf(1));
  one.receive(new Uint8Array(5000).fill(0xff));

  expect([...one.requestBytes.counts]).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  expect([...one.receiveSeconds.counts]).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(one.requestBytes.sum).toBe(requestOf(1).length + 5000);
});

test("a request that a listener refused counts as a request only", () => {
  const { one } = receivers();

  one.turnedAway("malformed");
  one.turnedAway("too_large");
  one.turnedAway("failed");

  expect(one.requests).toMatchObject({ accepted: 0, malformed: 1, too_large: 1, failed: 1 });
  expect(one.requestBytes.sum).toBe(0);
});

test("evictions are reported for the protocol that caused them", () => {
  const { one, other, evictions } = receivers({ spans: 2, bytes: 1 << 16 });

  one.receive(requestOf(2));
  other.receive(requestOf(1));
  one.receive(requestOf(2));
  other.receive(new Uint8Array(0));

  expect(evictions).toEqual(["other 1", "one 2"]);
});

test.each([
  { name: "below all bounds", value: 0.5, counts: [1, 0, 0, 0] },
  { name: "at a bound, which it includes,", value: 10, counts: [0, 1, 0, 0] },
  { name: "just above a bound", value: 10.01, counts: [0, 0, 1, 0] },
  { name: "above all bounds", value: 1e9, counts: [0, 0, 0, 1] },
])("a value $name is counted in its bucket", ({ value, counts }) => {
  const histogram = new Histogram([1, 10, 100]);

  histogram.observe(value);

  expect([...histogram.counts]).toEqual([...counts]);
  expect(histogram.sum).toBe(value);
});

test("the counts add up to the observations, and the sum to their values", () => {
  const histogram = new Histogram([3, 6]);

  for (let value = 0; value < 10; value += 1) histogram.observe(value);

  expect([...histogram.counts]).toEqual([4, 3, 3]);
  expect(histogram.sum).toBe(45);
});

test.each([
  { name: "decrease", bounds: [2, 1] },
  { name: "repeat", bounds: [1, 1] },
])("bounds that $name are refused", ({ bounds }) => {
  expect(() => new Histogram(bounds)).toThrow(AssertionError);
});
