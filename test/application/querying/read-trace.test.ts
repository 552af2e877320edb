import { expect, test } from "bun:test";
import { readIncompleteTrace, readTrace } from "../../../src/application/querying/read-trace.ts";
import { searchedRing } from "../../support/running/searched-ring.ts";
import {
  SOME_PARENT,
  tracedRequests,
  type TracedSpan,
  traceHex,
} from "../../support/requests/traced-requests.ts";
import type { SearchedBuffer } from "../../../src/ports/trace-buffer.ts";
import { requestOf, spanId } from "../../support/requests/request-bytes.ts";

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
])("trace $trace has $sequences, with a root: $hasRoot", async ({ trace, ...expected }) => {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS);

  expect(await readTrace(buffer, traceHex(trace))).toMatchObject(expected);
});

test("all spans of a trace are returned in order of arrival", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS);

  const { request, range } = await readTrace(buffer, traceHex(1));

  expect(request.toHex()).toBe(SPANS[0]!.toHex() + SPANS[2]!.toHex());
  expect(range).toEqual({ first: 1, next: 6 });
});

const PIECE = 200_000;

/** Maps the sequences of the two pieces to the two spans of the real ring. */
function realSequence(sequence: number): number {
  return sequence === 1 ? 1 : 2;
}

/** Returns a ring of two pieces, each with a span of the trace; the first one is its root. */
function twoPieces(afterScan: (piece: number) => void) {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS.slice(2, 3), ...SPANS.slice(0, 1));
  let scans = 0;
  let first = 1;
  const searched: SearchedBuffer = {
    range: () => ({ first, next: PIECE + 2 }),
    visit: ({ range, ...search }, visit) => {
      scans += 1;
      const at = realSequence(range.first);
      const within = { ...search, range: { first: at, next: at + 1 } };
      buffer.visit(within, (_, place) => visit(range.first, place));
      afterScan(scans);
    },
    copy: (sequences) => {
      const present = sequences.filter((sequence) => sequence >= first);
      return { ...buffer.copy(present.map(realSequence)), sequences: present };
    },
  };
  return { searched, evict: (until: number) => (first = until) };
}

test("a root that is evicted before it is copied does not count", async () => {
  const { searched, evict } = twoPieces((scans) => scans === 2 && evict(100));

  const answer = await readTrace(searched, traceHex(1));

  expect(answer).toMatchObject({
    sequences: [PIECE + 1],
    hasRoot: false,
    range: { first: 100, next: PIECE + 2 },
  });
});

test("without eviction, a trace is read from all pieces", async () => {
  const { searched } = twoPieces(() => {});

  const answer = await readTrace(searched, traceHex(1));

  expect(answer).toMatchObject({
    sequences: [1, PIECE + 1],
    hasRoot: true,
    range: { first: 1, next: PIECE + 2 },
  });
});

function hexOf(number: number): string {
  return Uint8Array.from(spanId(number)).toHex();
}

/** Reads trace 1 of these spans, whose identifiers are their positions, from 1 on. */
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

test("spans that are each other's parents miss no parent", async () => {
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

test("spans of other traces are neither counted nor parents", async () => {
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
