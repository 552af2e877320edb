import { expect, test } from "bun:test";
import { readIncompleteTrace } from "../../../src/application/querying/read-trace.ts";
import { requestOf, spanId } from "../../support/requests/request-bytes.ts";
import { searchedRing } from "../../support/running/searched-ring.ts";
import {
  tracedRequests,
  type TracedSpan,
  traceHex,
} from "../../support/requests/traced-requests.ts";

function hexOf(number: number): string {
  return Uint8Array.from(spanId(number)).toHex();
}

/** Spans of trace 1; each has the number of its place, from 1 on, as its identifier. */
async function read(...spans: Partial<TracedSpan>[]) {
  const { buffer, arrive } = searchedRing();
  arrive(...tracedRequests(...spans.map((each) => ({ trace: 1, name: "x", ...each }))));
  return await readIncompleteTrace(buffer, traceHex(1));
}

test("a parent that is not buffered is missing, and listed once", async () => {
  const trace = await read({ parent: spanId(98) }, { parent: spanId(98) }, { parent: spanId(97) });

  expect(trace).toEqual({
    traceId: traceHex(1),
    spanCount: 3,
    hasRoot: false,
    missingParents: [hexOf(98), hexOf(97)],
  });
});

test("a buffered parent is not missing, whichever span came first", async () => {
  const trace = await read({ parent: spanId(2) }, { parent: spanId(99) }, { parent: spanId(1) });

  expect(trace).toMatchObject({ hasRoot: false, missingParents: [hexOf(99)] });
});

test("spans that are parents of one another miss no parent", async () => {
  const trace = await read({ parent: spanId(2) }, { parent: spanId(1) });

  expect(trace).toMatchObject({ spanCount: 2, hasRoot: false, missingParents: [] });
});

test.each([
  { name: "no parent", root: {} },
  { name: "a parent of zeros", root: { parent: Array<number>(8).fill(0) } },
])("a span with $name is a root", async ({ root }) => {
  const trace = await read({ parent: spanId(2) }, root);

  expect(trace).toMatchObject({ spanCount: 2, hasRoot: true, missingParents: [] });
});

test("spans of other traces neither count nor are parents", async () => {
  const trace = await read({ parent: spanId(2) }, { trace: 2 });

  expect(trace).toMatchObject({ spanCount: 1, hasRoot: false, missingParents: [hexOf(2)] });
});

test("a trace without buffered spans has no spans and no parents", async () => {
  expect(await read({ trace: 2 })).toMatchObject({ spanCount: 0, hasRoot: false });
});

test("a thousand missing parents are listed, and all spans are counted", async () => {
  const spans = Array.from({ length: 1_100 }, (_, at) => ({ parent: spanId(5_000 + at) }));

  const trace = await read(...spans);

  expect(trace.spanCount).toBe(1_100);
  expect(trace.missingParents).toHaveLength(1_000);
});

test("a trace is found in a ring that is scanned in pieces", async () => {
  const { buffer, arrive } = searchedRing({ spans: 500_000, bytes: 1 << 26 });
  const many = requestOf(20_000, 100);
  const [child, parent] = tracedRequests(
    { trace: 70_000, name: "child", parent: spanId(2) },
    { trace: 70_000, name: "parent", parent: spanId(99) },
  );
  arrive(child!, ...Array.from({ length: 11 }, () => many), parent!);

  const trace = await readIncompleteTrace(buffer, traceHex(70_000));

  expect(trace).toMatchObject({ spanCount: 2, missingParents: [hexOf(99)] });
});
