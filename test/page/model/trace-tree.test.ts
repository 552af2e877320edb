import { expect, test } from "bun:test";
import type { OtlpSpan, TracesData } from "../../../src/page/model/otlp.ts";
import {
  criticalPath,
  durationOf,
  serviceShares,
  shownSpans,
  traceTree,
} from "../../../src/page/model/trace-tree.ts";

type Part = [id: string, parent: string, start?: number, end?: number];

function spanOf([spanId, parentSpanId, start, end]: Part): OtlpSpan {
  return {
    traceId: "t",
    spanId,
    parentSpanId,
    ...(start !== undefined && { startTimeUnixNano: String(start) }),
    ...(end !== undefined && { endTimeUnixNano: String(end) }),
  };
}

function treeOf(...parts: Part[]) {
  return traceTree(dataOf(parts.map(spanOf)));
}

function dataOf(spans: OtlpSpan[]): TracesData {
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] };
}

function outline({ spans }: ReturnType<typeof traceTree>): string[] {
  return spans.map(({ depth, span }) => "-".repeat(depth) + span.spanId);
}

test("children follow their parent in the order of their starts", () => {
  const tree = treeOf(["b", "a", 5, 6], ["c", "a", 2, 3], ["a", "", 1, 9], ["d", "c", 2, 3]);

  expect(outline(tree)).toEqual(["a", "-c", "--d", "-b"]);
  expect([tree.start, tree.durationNano]).toEqual([1n, 8]);
});

test("a span whose parent is missing is an orphan, and a root is not", () => {
  const tree = treeOf(["a", "", 1, 2], ["b", "x", 3, 4]);

  expect(outline(tree)).toEqual(["a", "b"]);
  expect(tree.spans.map(({ isOrphan }) => isOrphan)).toEqual([false, true]);
  expect(tree.orphans).toBe(1);
});

test("a span that starts before its parent is skewed", () => {
  const tree = treeOf(["a", "", 5, 9], ["b", "a", 4, 6], ["c", "a", 5, 6]);

  expect(tree.spans.filter(({ isSkewed }) => isSkewed).map(({ span }) => span.spanId)).toEqual([
    "b",
  ]);
  expect(tree.skewed).toBe(1);
});

test("unknown times stay unknown, come last, and do not affect the axis", () => {
  const tree = treeOf(["b", "a"], ["c", "a", 2, 3], ["a", "", 1, 9], ["d", "a", 4]);

  expect(outline(tree)).toEqual(["a", "-c", "-d", "-b"]);
  expect(tree.spans.map(durationOf)).toEqual([8, 1, null, null]);
  expect(tree.durationNano).toBe(8);
});

test("spans that are each other's parents are shown once", () => {
  const tree = treeOf(["r", "", 1, 2], ["a", "b", 3, 4], ["b", "a", 5, 6], ["s", "s", 7, 8]);

  expect(tree.spans.map(({ span }) => span.spanId).toSorted()).toEqual(["a", "b", "r", "s"]);
});

test("a chain of 10,000 spans is a tree", () => {
  const parts = Array.from({ length: 10_000 }, (_, at): Part => [`${at}`, `${at - 1}`, at + 1]);

  expect(treeOf(...parts).spans.at(-1)!.depth).toBe(9999);
});

test("an empty trace has no spans", () => {
  expect(traceTree({})).toMatchObject({ spans: [], durationNano: 1 });
});

test("errors and services are counted", () => {
  const error = { ...spanOf(["a", "", 1, 2]), status: { code: 2 } };
  const tree = traceTree(dataOf([error]));

  expect([tree.errors, tree.services]).toEqual([1, ["unknown_service"]]);
});

test("the depth counts levels, and each service has its share of spans and errors", () => {
  const error = { status: { code: 2 } };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  const own = { resource, scopeSpans: [{ spans: [{ ...spanOf(["b", "a"]), ...error }] }] };
  const tree = traceTree({ resourceSpans: [...dataOf([spanOf(["a", ""])]).resourceSpans!, own] });

  expect([tree.depth, treeOf(["a", ""]).depth]).toEqual([2, 1]);
  expect(serviceShares(tree)).toEqual([
    { service: "unknown_service", spans: 1, errors: 0 },
    { service: "shop", spans: 1, errors: 1 },
  ]);
});

test("what is below a collapsed span is hidden, and nothing else", () => {
  const tree = treeOf(["a", "", 1, 9], ["b", "a", 2, 3], ["c", "b", 2, 3], ["d", "a", 4, 5]);

  const shown = shownSpans(tree, new Set(["b"]));

  expect(shown.map(({ span }) => span.spanId)).toEqual(["a", "b", "d"]);
});

test("the critical path consists of the children that others waited for", () => {
  const tree = treeOf(
    ["a", "", 1, 20],
    ["first", "a", 2, 8],
    ["parallel", "a", 3, 6],
    ["last", "a", 9, 19],
    ["inner", "last", 10, 18],
    ["endless", "a", 10],
  );

  expect([...criticalPath(tree)].toSorted()).toEqual(["a", "first", "inner", "last"]);
});
