import { describe, expect, test } from "bun:test";
import type { SendOutcome, SpanBatch } from "../../../src/ports/span-sink.ts";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { ledgerOfRun, forwarding, settled } from "../../support/upstreams/forwarding.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

const DELIVERED: SendOutcome = { outcome: "delivered" };
const BUSY: SendOutcome = { outcome: "retry", message: "busy" };

const namesOf = ({ request }: SpanBatch): string[] =>
  decodeSpans(Buffer.from(request)).map(({ span }) => span.name ?? "");

const namesFrom = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `span ${first + index}`);

describe("batches", () => {
  test("are sent in order of arrival, and are as large as allowed", async () => {
    const run = forwarding({ batchSpans: 4 });
    run.arrive(requestOf(6), requestOf(4, 7));
    run.forwarder.start();
    await settled();

    expect(run.sink.sent.map(({ spanCount }) => spanCount)).toEqual([4, 4, 2]);
    expect(run.sink.sent.flatMap(namesOf)).toEqual(namesFrom(1, 10));
    expect(ledgerOfRun(run)).toMatchObject({ accepted: 10, buffered: 0, delivered: 10 });
  });

  test("that are not full wait for more spans, up to the maximum delay", async () => {
    const run = forwarding({ batchSpans: 10, maxDelayMs: 250 });
    run.forwarder.start();
    run.arrive(requestOf(3));
    await settled();

    expect(run.sink.sent.flatMap(namesOf)).toEqual(namesFrom(1, 3));
    expect(run.clock.sleptMs).toEqual([250]);
  });

  test("that are full in bytes are sent at once, however few their spans", async () => {
    const run = forwarding({ batchSpans: 100, batchBytes: 100, maxDelayMs: 250 });
    run.forwarder.start();
    run.arrive(requestOf(10));
    await settled();

    expect(run.sink.sent.length).toBeGreaterThan(2);
    expect(run.sink.sent.flatMap(namesOf)).toEqual(namesFrom(1, 10));
    expect(run.clock.sleptMs.length).toBeLessThan(2);
  });

  test.each([
    { of: "spans", capacity: { spans: 9, bytes: 1 << 16 }, few: 4, half: 5 },
    {
      of: "bytes",
      capacity: { spans: 1_000, bytes: 2 * requestOf(10).length - 1 },
      few: 9,
      half: 10,
    },
  ])("are sent at once when half of the ring waits, in $of", async ({ capacity, few, half }) => {
    const runs = [few, half].map((spanCount) => {
      const run = forwarding({ capacity, batchSpans: 500, maxDelayMs: 250 });
      run.forwarder.start();
      run.arrive(requestOf(spanCount));
      return run;
    });
    await settled();

    expect(runs.map(({ clock }) => clock.sleptMs)).toEqual([[250], []]);
    expect(runs.map(({ sink }) => sink.sent.map(({ spanCount }) => spanCount))).toEqual([
      [few],
      [half],
    ]);
  });

  test("that are full are sent at once", async () => {
    const run = forwarding({ batchSpans: 3 });
    run.forwarder.start();
    await settled();
    run.arrive(requestOf(3));
    await settled();

    expect(run.sink.sent.length).toBe(1);
    expect(run.clock.sleptMs).toEqual([]);
  });

  test("are sent concurrently and settle in any order", async () => {
    const run = forwarding({ batchSpans: 2, concurrency: 3, answer: () => "held" });
    run.arrive(requestOf(8));
    run.forwarder.start();
    await settled();
    const first = run.sink.held.map(({ batch }) => batch.spanCount);
    const status = run.forwarder.status().figures;
    const [inFlightBatches, inFlightSpans] = [status.inFlightBatches, status.inFlightSpans];

    run.sink.held.at(-1)!.settle(DELIVERED);
    await settled();

    expect(first).toEqual([2, 2, 2]);
    expect([inFlightBatches, inFlightSpans]).toEqual([3, 6]);
    expect(run.sink.sent.map(namesOf).at(-1)).toEqual(["span 7", "span 8"]);
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 6, delivered: 2 });
  });

  test("stay below the upstream's limit after one was too large", async () => {
    const tooLarge: SendOutcome = { outcome: "too_large", message: "too long" };
    const answer = ({ spanCount }: SpanBatch) => (spanCount > 4 ? tooLarge : DELIVERED);
    const run = forwarding({ batchSpans: 8, answer });
    run.arrive(requestOf(32));
    run.forwarder.start();
    await settled();

    const sizes = run.sink.sent.map(({ spanCount }) => spanCount);
    expect(sizes.filter((size) => size > 4)).toEqual([8]);
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 32 });
  });

  test("do not contain spans that readers have taken", async () => {
    const run = forwarding({ batchSpans: 3 });
    run.forwarder.start();
    run.arrive(requestOf(2));
    run.buffer.take(2);
    await settled();
    const whileTaken = run.sink.sent.length;
    run.arrive(requestOf(3, 3));
    await settled();

    expect(whileTaken).toBe(0);
    expect(run.sink.sent.flatMap(namesOf)).toEqual(namesFrom(3, 5));
  });
});

describe("while the upstream fails", () => {
  test("one batch is retried after each pause, and then all are sent, oldest first", async () => {
    let failures = 3;
    const answer = () => ((failures -= 1) >= 0 ? BUSY : DELIVERED);
    const run = forwarding({ batchSpans: 2, concurrency: 1, answer });
    run.arrive(requestOf(6));
    run.forwarder.start();
    await settled();

    expect(run.clock.sleptMs).toEqual([50, 100, 200]);
    expect(run.sink.sent.flatMap(namesOf)).toEqual([
      ...namesFrom(1, 2),
      ...namesFrom(1, 2),
      ...namesFrom(1, 2),
      ...namesFrom(1, 6),
    ]);
    expect(run.forwarder.status()).toMatchObject({
      state: "connected",
      lastError: { message: "busy", unixMs: 61_000 },
      figures: { retriedSpans: 6, batches: { retry: 3, delivered: 3 } },
    });
    expect(run.logger.lines.map(({ event }) => event)).toEqual([
      "forward_backing_off",
      "forward_connected",
    ]);
  });

  test("returned spans are sent again even if no other span arrives", async () => {
    const run = forwarding({ batchSpans: 2, concurrency: 2, answer: () => "held" });
    run.arrive(requestOf(4));
    run.forwarder.start();
    await settled();

    run.sink.answer = () => DELIVERED;
    for (const { settle } of run.sink.held.slice()) settle(BUSY);
    await settled();

    expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 4 });
  });

  test("no batch is sent before the delay that it requests has passed", async () => {
    const answers: SendOutcome[] = [{ ...BUSY, afterMs: 7_000 } as SendOutcome];
    const run = forwarding({ answer: () => answers.shift() ?? DELIVERED });
    run.arrive(requestOf(10));
    run.forwarder.start();
    await settled();

    expect(run.clock.sleptMs).toEqual([7_000]);
  });

  test("a reload ends the pause, because it may have removed the cause", async () => {
    const answers: SendOutcome[] = [{ ...BUSY, afterMs: 7_000 } as SendOutcome];
    const run = forwarding({ answer: () => answers.shift() ?? DELIVERED });
    const wakes: (() => void)[] = [];
    run.clock.sleep = (_, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal?.addEventListener("abort", () => resolve());
        wakes.push(resolve);
      });
    run.arrive(requestOf(10));
    run.forwarder.start();
    await settled();
    const before = ledgerOfRun(run).delivered;

    await run.forwarder.reload();
    await settled();

    expect([before, wakes.length, run.sink.reloads]).toEqual([0, 1, 1]);
    expect(ledgerOfRun(run)).toMatchObject({ delivered: 10 });
  });

  test("evicted spans have one entry in the ledger, in flight or not", async () => {
    const capacity = { spans: 10, bytes: 1 << 16 };
    const run = forwarding({ capacity, batchSpans: 4, answer: () => "held" });
    run.arrive(requestOf(10));
    run.forwarder.start();
    await settled();
    run.arrive(requestOf(6, 11));
    const inFlight = ledgerOfRun(run);

    run.sink.held[0]!.settle(BUSY);
    run.sink.answer = () => DELIVERED;
    await settled();

    expect(inFlight).toMatchObject({ accepted: 16, buffered: 14, evicted: 2 });
    expect(ledgerOfRun(run)).toEqual({
      accepted: 16,
      buffered: 0,
      delivered: 10,
      evicted: 6,
      undeliverable: 0,
    });
  });

  test("spans that are evicted in flight and then accepted count as delivered", async () => {
    const capacity = { spans: 10, bytes: 1 << 16 };
    const run = forwarding({ capacity, batchSpans: 4, answer: () => "held" });
    run.arrive(requestOf(10));
    run.forwarder.start();
    await settled();
    run.arrive(requestOf(6, 11));

    run.sink.held[0]!.settle(DELIVERED);

    await settled();
    expect(ledgerOfRun(run)).toMatchObject({ delivered: 4, evicted: 2, buffered: 10 });
  });

  test("a timeout makes the following batches smaller", async () => {
    const late: SendOutcome = { outcome: "retry", message: "no answer", isTimeout: true };
    const answer = ({ request }: SpanBatch) => (request.length > 100_000 ? late : DELIVERED);
    const run = forwarding({
      batchSpans: 5_000,
      capacity: { spans: 10_000, bytes: 1 << 22 },
      answer,
    });
    run.arrive(requestOf(5_000));
    run.forwarder.start();
    await settled();

    const sizes = run.sink.sent.map(({ spanCount }) => spanCount);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes[1]!).toBeLessThan(sizes[0]!);
    expect(run.forwarder.status().figures.batches.delivered).toBeGreaterThan(0);
  });

  test("repeated similar failures make batches smaller until they pass", async () => {
    const capacity = { spans: 10_000, bytes: 1 << 22 };
    const run = forwarding({
      batchSpans: 10_000,
      capacity,
      answer: ({ request }) => (request.length > 50_000 ? BUSY : DELIVERED),
    });
    run.arrive(requestOf(10_000));
    run.forwarder.start();
    await settled();

    expect(ledgerOfRun(run)).toMatchObject({ delivered: 10_000, buffered: 0 });
    const { retry, delivered } = run.forwarder.status().figures.batches;
    expect(retry).toBeWithin(3, 12);
    expect(delivered).toBeGreaterThan(5);
  });

  test("batches that fail at the same time count as one failure and keep their size", async () => {
    const run = forwarding({ batchSpans: 100, concurrency: 4, answer: () => "held" });
    run.arrive(requestOf(400));
    run.forwarder.start();
    await settled();

    run.sink.answer = () => DELIVERED;
    for (const { settle } of run.sink.held.slice()) settle(BUSY);
    await settled();

    expect(run.sink.sent.map(({ spanCount }) => spanCount)).toEqual(Array(8).fill(100));
  });

  test("a warning in its response is logged", async () => {
    const run = forwarding({
      answer: () => ({ outcome: "delivered", message: "use fewer attributes" }),
    });
    run.arrive(requestOf(3));
    run.forwarder.start();
    await settled();

    expect(run.logger.lines).toContainEqual({
      level: "warning",
      event: "upstream_warning",
      fields: { batches: 1, message: "use fewer attributes" },
    });
  });
});
