import { describe, expect, test } from "bun:test";
import type { SendOutcome, SpanBatch } from "../../../src/ports/span-sink.ts";
import { HandMovedSleep } from "../../support/fakes/hand-moved-sleep.ts";
import { PATIENT_CLOCK } from "../../support/fakes/patient-clock.ts";
import { ledgerOfRun, forwarding, settled } from "../../support/upstreams/forwarding.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

const endless = (): Promise<never> => new Promise(() => {});

const DELIVERED: SendOutcome = { outcome: "delivered" };

test("an internal error is logged, returns unsettled spans, and causes a pause", async () => {
  let faults = 1;
  const run = forwarding({
    buffer: (ring) => ({
      lease: ring.lease.bind(ring),
      leaseNewest: ring.leaseNewest.bind(ring),
      range: ring.range.bind(ring),
      usedBytes: ring.usedBytes.bind(ring),
      hasSpilled: ring.hasSpilled.bind(ring),
      oldestUnixMs: ring.oldestUnixMs.bind(ring),
      settle: (...settlement) => {
        if (settlement[1] === "delivered" && (faults -= 1) >= 0) throw new Error("a fault");
        return ring.settle(...settlement);
      },
    }),
  });
  run.arrive(requestOf(10));
  run.forwarder.start();
  await settled();

  expect(run.logger.lines[1]).toMatchObject({ level: "error", event: "unexpected_error" });
  expect(run.clock.sleptMs).toEqual([50]);
  expect(run.forwarder.status().figures).toMatchObject({ inFlightBatches: 0 });
});

test("an error before a lease is logged, and forwarding continues", async () => {
  let faults = 2;
  const run = forwarding({
    buffer: (ring) => ({
      lease: ring.lease.bind(ring),
      leaseNewest: ring.leaseNewest.bind(ring),
      settle: ring.settle.bind(ring),
      usedBytes: ring.usedBytes.bind(ring),
      hasSpilled: ring.hasSpilled.bind(ring),
      oldestUnixMs: ring.oldestUnixMs.bind(ring),
      range: () => {
        if ((faults -= 1) >= 0) throw new Error("a fault");
        return ring.range();
      },
    }),
  });
  run.arrive(requestOf(10));
  run.forwarder.start();
  await settled();

  expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 10 });
  const events = run.logger.lines.map(({ event }) => event);
  expect(events).toEqual(["unexpected_error", "unexpected_error", "forward_connected"]);
  expect(run.clock.sleptMs).toEqual([1_000, 1_000]);
});

test("an error in a lease is logged and causes a pause", async () => {
  let faults = 1;
  const run = forwarding({
    buffer: (ring) => ({
      range: ring.range.bind(ring),
      settle: ring.settle.bind(ring),
      usedBytes: ring.usedBytes.bind(ring),
      hasSpilled: ring.hasSpilled.bind(ring),
      oldestUnixMs: ring.oldestUnixMs.bind(ring),
      leaseNewest: ring.leaseNewest.bind(ring),
      lease: (limit) => {
        if ((faults -= 1) >= 0) throw new Error("no memory is left");
        return ring.lease(limit);
      },
    }),
  });
  run.arrive(requestOf(10));
  run.forwarder.start();
  await settled();

  expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 10 });
  expect(run.clock.sleptMs).toEqual([50]);
});

describe("a stop", () => {
  test("sends buffered spans at once, and ends when all are delivered", async () => {
    const run = forwarding({ batchSpans: 100, answer: () => "held" });
    run.forwarder.start();
    await settled();
    run.arrive(requestOf(3));
    const stopped = run.forwarder.stop(600_000);
    await settled();
    const heldSpans = run.sink.held.map(({ batch }) => batch.spanCount);
    const before = run.sink.isClosed;

    run.sink.held[0]!.settle(DELIVERED);
    await stopped;

    expect([heldSpans, before, run.sink.isClosed]).toEqual([[3], false, true]);
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 3 });
  });

  test("sends returned spans again", async () => {
    const run = forwarding({ batchSpans: 3, answer: () => "held" });
    run.arrive(requestOf(3));
    run.forwarder.start();
    await settled();
    const stopped = run.forwarder.stop(600_000);
    await settled();

    run.sink.answer = () => DELIVERED;
    run.sink.held[0]!.settle({ outcome: "retry", message: "busy" });
    await stopped;

    expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 3 });
  });

  test("returns spans in flight to the ring when its time is up", async () => {
    const run = forwarding({ batchSpans: 2, concurrency: 2, answer: () => "held" });
    run.arrive(requestOf(6));
    run.forwarder.start();
    await settled();

    await run.forwarder.stop(0);

    expect(run.sink.isClosed).toBe(true);
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 6, delivered: 0 });
    // A cancelled send does not change what is known about the upstream.
    expect(run.forwarder.status()).toMatchObject({ state: "untried", lastError: undefined });
    expect(run.buffer.take(10).request.length).toBeGreaterThan(0);
  });

  test("does not wait for a pause that is longer than its time", async () => {
    const busy = { outcome: "retry", message: "busy", afterMs: 60_000 } as const;
    const run = forwarding({ batchSpans: 2, answer: () => "held" });
    run.arrive(requestOf(2));
    run.forwarder.start();
    await settled();
    const stopped = run.forwarder.stop(30_000);
    run.sink.answer = () => busy;

    run.sink.held[0]!.settle(busy);
    await stopped;

    expect(run.sink.sent.length).toBe(1);
    expect(run.clock.sleptMs).toEqual([]);
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 2 });
  });

  test("does not wait for spans that the upstream keeps refusing", async () => {
    const refusal = { outcome: "refused", reason: "invalid", message: "400" } as const;
    const answer = ({ spanCount }: SpanBatch) => (spanCount === 0 ? DELIVERED : refusal);
    const run = forwarding({ batchSpans: 100, answer });
    Object.assign(run.clock, { sleep: PATIENT_CLOCK.sleep });
    run.arrive(requestOf(300));
    run.forwarder.start();
    await settled();
    run.clock.sleep = HandMovedSleep.prototype.sleep;

    await run.forwarder.stop(600_000);

    expect(run.clock.sleptMs).toEqual([]);
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 300, delivered: 0, undeliverable: 0 });
    expect(run.forwarder.status().lastError).toMatchObject({ message: "400" });
  });

  test("gives an upstream that begins to refuse spans a second chance", async () => {
    const refusal = { outcome: "refused", reason: "invalid", message: "400" } as const;
    const run = forwarding({ batchSpans: 100, answer: () => "held" });
    run.arrive(requestOf(300));
    run.forwarder.start();
    await settled();
    const stopped = run.forwarder.stop(600_000);
    run.sink.answer = ({ spanCount }) =>
      spanCount > 0 && run.clock.sleptMs.length === 0 ? refusal : DELIVERED;

    run.sink.held[0]!.settle(refusal);
    await stopped;

    expect(run.clock.sleptMs).toEqual([50]);
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 300 });
  });

  test("logs the losses that are not logged yet", async () => {
    const run = forwarding({
      batchSpans: 1,
      answer: () => ({ outcome: "too_large", message: "413" }),
    });
    const loggedSpans = () =>
      run.logger.lines
        .filter(({ event }) => event === "undeliverable")
        .reduce((sum, { fields }) => sum + Number(fields["too_large"]), 0);
    run.arrive(requestOf(5));
    run.forwarder.start();
    await settled();
    const before = loggedSpans();

    await run.forwarder.stop(600_000);

    expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, undeliverable: 5 });
    expect([before, loggedSpans()]).toEqual([1, 5]);
  });

  test("ends even if neither a send nor the close of the sink ends", async () => {
    const run = forwarding({ batchSpans: 2 });
    Object.assign(run.sink, { send: endless, close: endless });
    run.arrive(requestOf(2));
    run.forwarder.start();
    await settled();

    const stopped = run.forwarder.stop(0);
    // One limit for the send, one for the close.
    for (const limitMs of [1_000, 1_000]) {
      await settled();
      run.clock.moveMs(limitMs);
    }
    await stopped;

    expect(ledgerOfRun(run)).toMatchObject({ buffered: 2 });
    // Nothing is in flight any more, so that a stop finds all spans.
    expect(run.buffer.lease({ spans: 9, bytes: 1 << 20 })?.sequences).toEqual([1, 2]);
    expect(run.forwarder.status().figures).toMatchObject({ inFlightBatches: 0, inFlightSpans: 0 });
  });

  test("ends at once if the ring is empty, even before the forwarder was started", async () => {
    const [started, never] = [forwarding({}), forwarding({})];
    started.forwarder.start();

    await started.forwarder.stop(600_000);
    await never.forwarder.stop(600_000);

    expect([started.sink.isClosed, never.sink.isClosed]).toEqual([true, true]);
  });
});

describe("the status reports", () => {
  test("the age of the oldest span as lag, and zero if the ring is empty", async () => {
    const run = forwarding({ answer: () => "held" });
    const empty = run.forwarder.status().lagMs;

    run.arrive(requestOf(1));

    // Spans arrive at 1,000 ms in these tests, and the time is 61,000 ms.
    expect([empty, run.forwarder.status().lagMs]).toEqual([0, 60_000]);
  });

  test("the expected delay until room, from the delivery rate and within bounds", async () => {
    const run = forwarding({ batchSpans: 100 });
    const unknown = run.forwarder.roomAfterMs(1_000);
    run.arrive(requestOf(100));
    run.forwarder.start();
    await settled();

    // A hundred spans were delivered in this second.
    const rooms = [1, 250, 1_000_000].map((spans) => run.forwarder.roomAfterMs(spans));

    expect(unknown).toBe(1_000);
    expect(rooms).toEqual([100, 2_500, 60_000]);
    expect(run.forwarder.status().spansPerSecond).toBe(100);
  });
});
