import { describe, expect, test } from "bun:test";
import type { SendOutcome, SpanBatch } from "../../../src/ports/span-sink.ts";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { ledgerOfRun, forwarding, settled } from "../../support/upstreams/forwarding.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

const DELIVERED: SendOutcome = { outcome: "delivered" };
const BUSY: SendOutcome = { outcome: "retry", message: "busy" };

const namesOf = ({ request }: SpanBatch): string[] =>
  decodeSpans(Buffer.from(request)).map(({ span }) => span.name ?? "");

const namesFrom = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `span ${first + index}`);

/** Reports whether a span is one of the oldest forty. */
const isOld = (name: string): boolean => Number(name.split(" ")[1]) <= 40;

describe("an upstream that", () => {
  test("refuses access is sent an empty request after each pause, and then few spans", async () => {
    const refusal = { outcome: "blocked", reason: "unauthenticated", message: "401" } as const;
    const run = forwarding({ batchSpans: 100, concurrency: 3 });
    run.sink.answer = () => (run.clock.sleptMs.length < 2 ? refusal : DELIVERED);
    run.arrive(requestOf(300));
    run.forwarder.start();
    await settled();

    const sizes = run.sink.sent.map(({ spanCount }) => spanCount);
    expect(sizes.filter((size) => size > 0)).toEqual([100, 100, 100, 64, 100, 100, 36]);
    expect(sizes.slice(-6)).toEqual([0, 0, 64, 100, 100, 36]);
    expect(run.clock.sleptMs).toEqual([50, 100]);
    expect(run.sink.sent.slice(-4).flatMap(namesOf)).toEqual(namesFrom(1, 300));
    expect(ledgerOfRun(run)).toMatchObject({ undeliverable: 0, delivered: 300 });
    expect(run.forwarder.status()).toMatchObject({
      state: "connected",
      lastError: { message: "401", hint: expect.stringContaining("FORWARD_HEADERS_FILE") },
      figures: { batches: { blocked: 3, delivered: 4 } },
    });
    expect(run.logger.lines.map(({ event }) => event)).toEqual([
      "forward_blocked",
      "forward_connected",
    ]);
  });

  test("refuses access and then becomes unavailable is sent an empty request first", async () => {
    const refusal = { outcome: "blocked", reason: "not_found", message: "404" } as const;
    const answers: SendOutcome[] = [refusal, refusal, BUSY];
    const run = forwarding({ answer: () => answers.shift() ?? DELIVERED });
    run.arrive(requestOf(10));
    run.forwarder.start();
    await settled();

    expect(run.sink.sent.map(({ spanCount }) => spanCount)).toEqual([10, 0, 0, 0, 10]);
    expect(ledgerOfRun(run)).toMatchObject({ delivered: 10 });
  });

  test("refuses empty requests is sent a small batch", async () => {
    const empty = { outcome: "refused", reason: "invalid", message: "no spans" } as const;
    const blocked = { outcome: "blocked", reason: "forbidden", message: "403" } as const;
    const answers: SendOutcome[] = [blocked];
    const answer = ({ spanCount }: SpanBatch) =>
      spanCount === 0 ? empty : (answers.shift() ?? DELIVERED);
    const run = forwarding({ batchSpans: 100, answer });
    run.arrive(requestOf(200));
    run.forwarder.start();
    await settled();

    expect(run.sink.sent.map(({ spanCount }) => spanCount)).toEqual([100, 0, 0, 64, 100, 36]);
    expect(ledgerOfRun(run)).toMatchObject({ delivered: 200, undeliverable: 0 });
  });

  test("refuses all spans but accepts empty requests loses no span", async () => {
    const refusal = { outcome: "refused", reason: "invalid", message: "400" } as const;
    const run = forwarding({ batchSpans: 100, answer: () => "held" });
    run.arrive(requestOf(300));
    run.forwarder.start();
    await settled();
    run.sink.answer = ({ spanCount }) => {
      // In the end the upstream is repaired.
      if (run.sink.sent.length > 200) return DELIVERED;
      return spanCount === 0 ? DELIVERED : refusal;
    };

    run.sink.held[0]!.settle(refusal);
    await settled();

    const spansSent = run.sink.sent.reduce((sum, { spanCount }) => sum + spanCount, 0);
    expect(ledgerOfRun(run)).toMatchObject({ accepted: 300, undeliverable: 0, delivered: 300 });
    // The last sleep is no pause: the last spans waited for a full batch.
    expect(run.clock.sleptMs.slice(0, 5)).toEqual([50, 100, 200, 400, 500]);
    expect(new Set(run.clock.sleptMs.slice(5, -1))).toEqual(new Set([500]));
    // Each attempt sends few spans.
    expect(spansSent / run.clock.sleptMs.length).toBeLessThan(300);
    expect(run.logger.lines[0]).toMatchObject({
      event: "forward_blocked",
      fields: { error: "400", hint: expect.stringContaining("refuses the remaining spans") },
    });
  });

  test("refuses everything is not reported to accept empty requests", async () => {
    const refusal = { outcome: "refused", reason: "internal", message: "500" } as const;
    const run = forwarding({ answer: () => (run.sink.sent.length > 20 ? DELIVERED : refusal) });
    run.arrive(requestOf(1));
    run.forwarder.start();
    await settled();

    const hints = run.logger.lines.flatMap(({ fields }) => fields?.["hint"] ?? []);
    expect(hints).not.toBeEmpty();
    expect(hints.filter((hint) => String(hint).includes("accepts"))).toEqual([]);
    expect(run.forwarder.status().lastError?.hint).not.toContain("accepts");
  });

  test("refuses one span receives all others without a pause", async () => {
    const refusal = { outcome: "refused", reason: "invalid", message: "400" } as const;
    const answer = (batch: SpanBatch) => (namesOf(batch).includes("span 4") ? refusal : DELIVERED);
    const run = forwarding({ batchSpans: 5, answer });
    run.arrive(requestOf(10));
    run.forwarder.start();
    await settled();

    expect(run.clock.sleptMs).toEqual([]);
    expect(ledgerOfRun(run)).toMatchObject({ delivered: 9, undeliverable: 1 });
    expect(run.logger.lines).toMatchObject([
      { event: "forward_connected" },
      { event: "undeliverable", fields: { invalid: 1, error: "400" } },
    ]);
  });

  test("refuses all of the oldest spans receives the newer ones", async () => {
    const refusal = { outcome: "refused", reason: "invalid", message: "too old" } as const;
    const answer = (batch: SpanBatch) => (namesOf(batch).some(isOld) ? refusal : DELIVERED);
    const run = forwarding({ batchSpans: 10, answer });
    run.arrive(requestOf(100));
    run.forwarder.start();
    await settled();

    expect(run.clock.sleptMs).toEqual([]);
    expect(ledgerOfRun(run)).toMatchObject({ delivered: 60, undeliverable: 40, buffered: 0 });
    const delivered = run.sink.sent.filter((batch) => !namesOf(batch).some(isOld));
    const names = delivered.flatMap(namesOf);
    expect(new Set(names).size).toBe(names.length);
  });

  // Several deliveries of one span each close the gate for each other.
  test("refuses a few spans as forbidden blocks no span permanently", async () => {
    const refusal = { outcome: "blocked", reason: "forbidden", message: "403" } as const;
    const answer = (batch: SpanBatch) => (namesOf(batch).some(isOld) ? refusal : DELIVERED);
    const run = forwarding({ batchSpans: 1, concurrency: 2, answer });
    run.clock.sleep = async (durationMs) => {
      run.clock.moveMs(durationMs);
      await nextTurn();
    };
    run.arrive(requestOf(3));
    run.forwarder.start();

    for (let number = 100; number < 115; number += 1) {
      await settled();
      run.arrive(requestOf(1, number));
    }
    await settled();

    expect(ledgerOfRun(run)).toMatchObject({ delivered: 15, undeliverable: 3, buffered: 0 });
  });

  test("refuses several batches at a time is reported with its own message", async () => {
    const refusal = { outcome: "blocked", reason: "forbidden", message: "403" } as const;
    const run = forwarding({ batchSpans: 10, concurrency: 4, answer: () => "held" });
    run.clock.sleep = () => new Promise(() => {});
    run.arrive(requestOf(40));
    run.forwarder.start();
    await settled();
    const batches = run.sink.held.slice();

    batches[0]!.settle(refusal);
    await settled();
    run.sink.held.at(-1)!.settle(refusal);
    await settled();
    for (const { settle } of batches.slice(1)) settle(refusal);
    await settled();

    expect(run.sink.sent.map(({ spanCount }) => spanCount)).toEqual([10, 10, 10, 10, 0]);
    expect(run.forwarder.status().lastError?.message).toBe("403");
    expect(ledgerOfRun(run)).toMatchObject({ buffered: 40, undeliverable: 0 });
  });
});
