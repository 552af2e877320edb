import { expect, test } from "bun:test";
import { advance, isGone, type TraceSummary } from "../../../src/page/model/trace-feed.ts";

function summary(traceId: string, spans = 1): TraceSummary {
  const root = { root: "a", rootService: "b", services: ["b"], startTimeUnixNano: "1" };
  return { traceId, spans, errors: 0, durationNano: "1", lastSequence: 5, ...root };
}

const sequence = { run_id: "run", first: 1, next: 8 };

test("new traces come first, and known ones keep their place", () => {
  const feed = advance({ traces: [] }, { traces: [summary("b"), summary("a")], sequence });
  const next = advance(feed, { traces: [summary("c"), summary("a", 5)], sequence });

  expect(next.traces.map(({ traceId, spans }) => [traceId, spans])).toEqual([
    ["c", 1],
    ["b", 1],
    ["a", 5],
  ]);
});

test("the next search begins after the newest span", () => {
  expect(advance({ traces: [] }, { traces: [], sequence }).after).toBe("run-7");
});

test("the list keeps the newest thousand traces", () => {
  const many = Array.from({ length: 1000 }, (_, number) => summary(`${number}`));
  const feed = advance({ traces: many }, { traces: [summary("new")], sequence });

  expect([feed.traces.length, feed.traces[0]!.traceId]).toEqual([1000, "new"]);
});

test.each([
  { name: "its newest span is buffered", first: 5, run_id: "run", isExpected: false },
  { name: "a newer span is the oldest", first: 6, run_id: "run", isExpected: true },
  { name: "spanring was started again", first: 1, run_id: "next", isExpected: true },
])("a trace is gone: $isExpected, because $name", ({ first, run_id, isExpected }) => {
  const feed = { traces: [summary("a")], runId: "run" };

  expect(isGone(feed.traces[0]!, feed, { run_id, first, next: 9 })).toBe(isExpected);
  expect(isGone(feed.traces[0]!, feed, undefined)).toBe(false);
});
