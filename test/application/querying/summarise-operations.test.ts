import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  MAX_OPERATIONS,
  summariseOperations,
} from "../../../src/application/querying/summarise-operations.ts";
import {
  type ConnectedSpan,
  connectedRequests,
  connectedSpans,
} from "../../support/requests/connected-spans.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { named, searchedRing } from "../../support/running/searched-ring.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

test("operations are counted by service, the most frequent first", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(2), request(resourceSpans("cart", span(2), span(2))), requestOf(1, 2));

  const { operations, otherSpanCount, range } = await summariseOperations(buffer);

  expect(operations.map(({ service, name, spanCount }) => [service, name, spanCount])).toEqual([
    ["shop", "span 2", 2],
    ["cart", "span 2", 2],
    ["shop", "span 1", 1],
  ]);
  expect(otherSpanCount).toBe(0);
  expect(range).toEqual({ first: 1, next: 6 });
});

test("an empty ring has no operations", async () => {
  const { buffer } = searchedRing();

  expect(await summariseOperations(buffer)).toEqual({
    operations: [],
    otherSpanCount: 0,
    periodSeconds: 0,
    range: { first: 1, next: 1 },
  });
});

test("only matching spans are counted", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(5));

  const { operations } = await summariseOperations(buffer, named("span 4"));

  expect(operations).toMatchObject([{ name: "span 4", spanCount: 1 }]);
});

test("spans of operations beyond the maximum are counted together", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(MAX_OPERATIONS + 2), requestOf(2));

  const { operations, otherSpanCount } = await summariseOperations(buffer);

  expect(operations).toHaveLength(MAX_OPERATIONS);
  expect(operations[0]).toMatchObject({ service: "shop", name: "span 1", spanCount: 2 });
  expect(otherSpanCount).toBe(2);
});

test("a name for which there is no room is counted, and a shorter one is listed", async () => {
  const { buffer, arrive } = searchedRing({ spans: 100, bytes: 4 << 20 });
  const longNames = ["a", "b", "c"].map((letter) => letter.repeat(500_000));
  const spans = longNames.map((name) => span(1, bytesField(5, name)));
  arrive(request(resourceSpans("shop", ...spans, span(2))));

  const { operations, otherSpanCount } = await summariseOperations(buffer);

  expect(operations.map(({ name }) => name.length)).toEqual([500_000, 500_000, 6]);
  expect(otherSpanCount).toBe(1);
});

/** Summarises one operation plainly. */
function plainly(spans: readonly ConnectedSpan[]) {
  const ends = spans.map(({ endNano }) => Number(endNano));
  const timed = spans.filter(({ startNano, endNano }) => startNano > 0n && endNano > 0n);
  return {
    service: spans[0]!.service,
    name: spans[0]!.name,
    spanCount: spans.length,
    errorCount: spans.filter(({ isError }) => isError).length,
    mostNano: Math.max(0, ...timed.map(({ startNano, endNano }) => Number(endNano - startNano))),
    timedCount: timed.length,
    lastEndNano: Math.max(...ends),
  };
}

// Goal: operations agree with groups of the spans as described.
test("operations agree with plainly grouped spans", async () => {
  const property = fc.asyncProperty(connectedSpans, async (spans) => {
    const { buffer, arrive } = searchedRing();
    arrive(...connectedRequests(spans));
    const groups = Map.groupBy(spans, ({ service, name }) => `${service} ${name}`);
    const starts = spans.flatMap(({ startNano }) => (startNano > 0n ? [Number(startNano)] : []));
    const lastEnd = Math.max(0, ...spans.map(({ endNano }) => Number(endNano)));

    const { operations, periodSeconds } = await summariseOperations(buffer);

    const found = operations.map(({ durations, ...operation }) => ({
      service: operation.service,
      name: operation.name,
      spanCount: operation.spanCount,
      errorCount: operation.errorCount,
      lastEndNano: operation.lastEndNano,
      mostNano: durations.mostNano,
      timedCount: durations.count,
    }));
    const expected = [...groups.values()].map(plainly);
    expect(found).toEqual(expected.toSorted((a, b) => b.spanCount - a.spanCount));
    expect(periodSeconds).toBe(Math.max(0, lastEnd - Math.min(Infinity, ...starts)) / 1e9);
  });

  await fc.assert(property, { numRuns: fuzzRuns(300) });
});
