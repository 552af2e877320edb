import { expect, test } from "bun:test";
import { readTrace } from "../../src/application/read-trace.ts";
import { searchedRing } from "../support/searched-ring.ts";
import { SOME_PARENT, traceHex, tracedRequests } from "../support/traced-requests.ts";

const SPANS = tracedRequests(
  { trace: 1, name: "child", parent: SOME_PARENT },
  { trace: 2, name: "other" },
  { trace: 1, name: "root" },
  { trace: 3, name: "orphan", parent: SOME_PARENT },
  { trace: 4, name: "parent of zeros", parent: Array(8).fill(0) },
);

test.each([
  { trace: 1, sequences: [1, 3], hasRoot: true },
  { trace: 2, sequences: [2], hasRoot: true },
  { trace: 3, sequences: [4], hasRoot: false },
  { trace: 4, sequences: [5], hasRoot: true },
  { trace: 9, sequences: [], hasRoot: false },
])("of trace $trace there are $sequences, with a root: $hasRoot", async ({ trace, ...told }) => {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS);

  expect(await readTrace(buffer, traceHex(trace))).toMatchObject(told);
});

test("all spans of a trace are answered, in the order in which they came", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS);

  const { request, range } = await readTrace(buffer, traceHex(1));

  expect(request.toHex()).toBe(SPANS[0]!.toHex() + SPANS[2]!.toHex());
  expect(range).toEqual({ first: 1, next: 6 });
});
