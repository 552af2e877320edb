import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { SendOutcome, SpanBatch } from "../../../src/ports/span-sink.ts";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { forwarding, settled } from "../../support/upstreams/forwarding.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const CAPACITY = { spans: 12, bytes: 1 << 16 };

const outcome: fc.Arbitrary<SendOutcome> = fc.constantFrom(
  { outcome: "delivered" },
  { outcome: "partly_rejected", rejectedSpans: 1, message: "no" },
  { outcome: "too_large", message: "too long" },
  { outcome: "refused", reason: "invalid", message: "no" },
  { outcome: "blocked", reason: "forbidden", message: "no" },
  { outcome: "retry", message: "busy" },
);

const step = fc.oneof(
  fc.record({ does: fc.constant("arrive" as const), spans: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ does: fc.constant("take" as const), spans: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ does: fc.constant("answer" as const), at: fc.nat(), outcome }),
  fc.record({ does: fc.constant("clear" as const) }),
);

const game = fc.record({
  batchSpans: fc.integer({ min: 1, max: 6 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(step, { maxLength: 60 }),
});

const namesOf = (bytes: Uint8Array): string[] =>
  decodeSpans(Buffer.from(bytes)).map(({ span: { name } }) => name ?? "");

// Goal: whatever the upstream answers, in any order, while readers take spans and spans are
// evicted: no span is delivered twice, no taken span is delivered, and every span has exactly one
// entry in the ledger.
// Method: random steps; at the end the upstream accepts everything. The seed is printed.
test("each span ends in exactly one entry of the ledger", async () => {
  let ends = 0;
  const property = fc.asyncProperty(game, async ({ steps, ...settings }) => {
    const run = forwarding({ ...settings, capacity: CAPACITY, answer: () => "held" });
    const delivered: string[] = [];
    const taken: string[] = [];
    let next = 1;
    const settle = (at: number, answer: SendOutcome) => {
      const held = run.sink.held[at % Math.max(1, run.sink.held.length)];
      if (held === undefined) return;
      if (answer.outcome === "delivered") delivered.push(...namesOf(held.batch.request));
      held.settle(answer);
    };
    run.forwarder.start();
    for (const each of steps) {
      if (each.does === "arrive") {
        run.arrive(requestOf(each.spans, next));
        next += each.spans;
      } else if (each.does === "take") taken.push(...namesOf(run.buffer.take(each.spans).request));
      else if (each.does === "answer") settle(each.at, each.outcome);
      else run.buffer.clear();
      for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    }
    run.sink.answer = (batch: SpanBatch) => {
      delivered.push(...namesOf(batch.request));
      return { outcome: "delivered" };
    };
    while (run.sink.held.length > 0) settle(0, { outcome: "delivered" });
    await run.forwarder.stop(60_000);

    const ledger = run.buffer.stats().spans;
    expect(new Set(delivered).size).toBe(delivered.length);
    expect(taken.filter((name) => delivered.includes(name))).toEqual([]);
    expect(ledger.accepted).toBe(next - 1);
    expect([ledger.buffered, run.forwarder.status().figures.inFlightSpans]).toEqual([0, 0]);
    // The accepted spans of a partly rejected batch are delivered, but not in the list.
    expect(ledger.delivered).toBeGreaterThanOrEqual(delivered.length);
    ends += ledger.delivered + ledger.undeliverable + ledger.evicted;
  });

  await fc.assert(property, { numRuns: fuzzRuns(300) });
  expect(ends).toBeGreaterThan(1_000);
});

const strictGame = fc.record({
  spanCount: fc.integer({ min: 1, max: 120 }),
  /** The numbers of the spans that the upstream refuses, with every batch that contains them. */
  bad: fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { maxLength: 12 }),
  isInvalidText: fc.boolean(),
  maxSpans: fc.integer({ min: 1, max: 120 }),
  batchSpans: fc.integer({ min: 1, max: 64 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  refusal: fc.constantFrom<SendOutcome>(
    { outcome: "refused", reason: "invalid", message: "400" },
    { outcome: "blocked", reason: "forbidden", message: "403" },
  ),
});

// Goal: whichever spans an upstream refuses, and however many it accepts at a time, it receives
// all others, each once, and only the refused ones are undeliverable.
// Method: random refused spans, followed by valid ones. The seed is printed.
test("only refused spans are undeliverable, and all others are delivered once", async () => {
  let undeliverable = 0;
  const property = fc.asyncProperty(strictGame, async (given) => {
    const { spanCount, isInvalidText, maxSpans, refusal, ...settings } = given;
    const bad = new Set(given.bad.filter((number) => number <= spanCount));
    const delivered: number[] = [];
    const run = forwarding({
      ...settings,
      answer: ({ request: bytes, spanCount: count }) => {
        const numbers = namesOf(bytes).map((name) => Number(name.split(" ")[1]));
        if (count > maxSpans) return { outcome: "too_large", message: "413" };
        if (numbers.some((number) => bad.has(number))) return refusal;
        delivered.push(...numbers);
        return { outcome: "delivered" };
      },
    });
    const spans = Array.from({ length: spanCount }, (_, at) =>
      isInvalidText && bad.has(at + 1) ? span(at + 1, INVALID_TEXT) : span(at + 1),
    );
    // Without a turn between two attempts, nothing else could arrive.
    run.clock.sleep = (durationMs) => {
      run.clock.moveMs(durationMs);
      return nextTurn();
    };
    run.arrive(request(resourceSpans("shop", ...spans)));
    run.forwarder.start();
    // Valid spans follow one by one; they show that the upstream does not refuse everything.
    const later = Array.from({ length: 15 }, (_, at) => 1_000 + at);
    for (const number of later) {
      await settled();
      run.arrive(requestOf(1, number));
    }
    await run.forwarder.stop(60_000);

    const good = Array.from({ length: spanCount }, (_, at) => at + 1).filter((n) => !bad.has(n));
    expect(delivered.toSorted((one, other) => one - other)).toEqual([...good, ...later]);
    const ledger = run.buffer.stats().spans;
    expect([ledger.undeliverable, ledger.buffered]).toEqual([bad.size, 0]);
    undeliverable += bad.size;
  });

  await fc.assert(property, { numRuns: fuzzRuns(200) });
  expect(undeliverable).toBeGreaterThan(200);
});

const INVALID_TEXT = bytesField(3, [0xe9]);
