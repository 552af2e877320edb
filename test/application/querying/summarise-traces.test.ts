import { expect, test } from "bun:test";
import type { SpanQuery } from "../../../src/application/querying/query-spans.ts";
import { summariseTraces } from "../../../src/application/querying/summarise-traces.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, searchedRing } from "../../support/running/searched-ring.ts";
import { SOME_PARENT, tracedRequests, traceHex } from "../../support/requests/traced-requests.ts";

const EVERY: SpanQuery = { filter: [], after: 0, limit: 100, newestFirst: true };

const SPANS = tracedRequests(
  { trace: 1, name: "pay", parent: SOME_PARENT, service: "till", startNano: 30n, endNano: 90n },
  { trace: 2, name: "GET /cart", service: "cart", startNano: 5n, endNano: 6n },
  { trace: 1, name: "GET /", startNano: 20n, endNano: 80n },
  { trace: 1, name: "log", parent: SOME_PARENT, startNano: 40n, endNano: 50n, isError: true },
  { trace: 3, name: "orphan", parent: SOME_PARENT },
);

function ringWithTraces() {
  const ring = searchedRing();
  ring.arrive(...SPANS);
  return ring;
}

test("a summary covers the spans of all services", async () => {
  const { buffer } = ringWithTraces();

  const { traces, range } = await summariseTraces(buffer, EVERY);

  expect(traces.find(({ traceId }) => traceId === traceHex(1))).toEqual({
    traceId: traceHex(1),
    root: "GET /",
    rootService: "shop",
    services: ["shop", "till"],
    spanCount: 3,
    errorCount: 1,
    startTimeUnixNano: 20n,
    endTimeUnixNano: 90n,
    lastSequence: 4,
  });
  expect(range).toEqual({ first: 1, next: 6 });
});

test.each([
  {
    name: "the start ignores spans without one",
    spans: [
      { startNano: 0n, endNano: 90n },
      { startNano: 20n, endNano: 80n },
    ],
    times: { startTimeUnixNano: 20n, endTimeUnixNano: 90n },
  },
  {
    name: "the end ignores spans without one",
    spans: [
      { startNano: 10n, endNano: 0n },
      { startNano: 20n, endNano: 80n },
    ],
    times: { startTimeUnixNano: 10n, endTimeUnixNano: 80n },
  },
  {
    name: "a trace whose spans have no start has none",
    spans: [{ startNano: 0n, endNano: 90n }],
    times: { startTimeUnixNano: undefined, endTimeUnixNano: 90n },
  },
  {
    name: "a trace whose spans have no end has none",
    spans: [{ startNano: 5n, endNano: 0n }],
    times: { startTimeUnixNano: 5n, endTimeUnixNano: undefined },
  },
])("$name", async ({ spans, times }) => {
  const { buffer, arrive } = searchedRing();
  arrive(...tracedRequests(...spans.map((each) => ({ trace: 1, name: "GET /", ...each }))));

  const { traces } = await summariseTraces(buffer, EVERY);

  expect(traces).toMatchObject([times]);
});

test("the first of two spans without a parent is the root", async () => {
  const { buffer, arrive } = searchedRing();
  const roots = ["till", "shop"].map((service) => ({ trace: 1, name: `of ${service}`, service }));
  arrive(...tracedRequests(...roots));

  const { traces } = await summariseTraces(buffer, EVERY);

  expect(traces).toMatchObject([{ root: "of till", rootService: "till" }]);
});

test("a trace whose root is not buffered has no root", async () => {
  const { buffer } = ringWithTraces();

  const { traces } = await summariseTraces(buffer, { ...EVERY, filter: named("orphan") });

  expect(traces).toMatchObject([{ root: undefined, rootService: undefined, spanCount: 1 }]);
});

test.each([
  { name: "the newest first", query: {}, traces: [3, 1, 2] },
  { name: "the oldest first", query: { newestFirst: false }, traces: [1, 2, 3] },
  { name: "up to the limit", query: { limit: 2 }, traces: [3, 1] },
  { name: "those with a span that matches", query: { filter: named("pay") }, traces: [1] },
  { name: "those with a span after a sequence", query: { after: 3 }, traces: [3, 1] },
  { name: "none that matches", query: { filter: named("no") }, traces: [] },
])("traces are listed, $name", async ({ query, traces }) => {
  const { buffer } = ringWithTraces();

  const summary = await summariseTraces(buffer, { ...EVERY, ...query });

  expect(summary.traces.map(({ traceId }) => traceId)).toEqual(traces.map(traceHex));
});

test("a summary covers spans of the trace that do not match or came before", async () => {
  const { buffer } = ringWithTraces();

  const { traces } = await summariseTraces(buffer, { ...EVERY, filter: named("log"), after: 3 });

  expect(traces).toMatchObject([{ root: "GET /", spanCount: 3 }]);
});

test("summaries are complete, wherever the spans of a trace are in a large ring", async () => {
  const ring = searchedRing({ spans: 60_000, bytes: 8 << 20 });
  const part = tracedRequests({ trace: 90_000, name: "part", parent: SOME_PARENT });
  for (let round = 0; round < 10; round += 1) ring.arrive(requestOf(5_000), ...part);

  const { traces } = await summariseTraces(ring.buffer, { ...EVERY, filter: named("part") });

  expect(traces).toMatchObject([{ traceId: traceHex(90_000), spanCount: 10 }]);
});

test("a trace that is evicted between the two scans is not listed", async () => {
  const ring = searchedRing({ spans: 3_000, bytes: 1 << 20 });
  ring.arrive(...tracedRequests({ trace: 70_000, name: "first" }), requestOf(2_999));

  const pending = summariseTraces(ring.buffer, { ...EVERY, newestFirst: false, limit: 1 });
  ring.arrive(requestOf(3_000));

  expect((await pending).traces).toEqual([]);
});
