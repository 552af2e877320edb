import { expect, test } from "bun:test";
import type { OtlpSpan } from "../../../src/page/model/otlp.ts";
import {
  changeCounts,
  compareTraces,
  type ComparedSpan,
  differencesOnly,
} from "../../../src/page/model/trace-comparison.ts";
import { traceTree } from "../../../src/page/model/trace-tree.ts";

/** A span `depth-name`, with its duration in milliseconds. */
type Line = [outline: string, durationMs?: number | undefined];

/** Returns a tree from an outline: a span is below the last one with fewer hyphens. */
function treeOf(...lines: Line[]) {
  const above: string[] = [];
  const spans = lines.map(([outline, durationMs], at): OtlpSpan => {
    const name = outline.replace(/^-*/, "");
    const depth = outline.length - name.length;
    const spanId = String(at);
    above[depth] = spanId;
    const start = 1_000_000_000 + at;
    return {
      traceId: "t",
      spanId,
      name,
      ...(depth > 0 && { parentSpanId: above[depth - 1]! }),
      startTimeUnixNano: String(start),
      ...(durationMs !== undefined && {
        endTimeUnixNano: String(start + Math.round(durationMs * 1e6)),
      }),
    };
  });
  return traceTree({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

function outlineOf(spans: readonly ComparedSpan[]): string[] {
  return spans.map(({ depth, first, second, change }) => {
    return `${"-".repeat(depth)}${(second ?? first)!.span.name} ${change}`;
  });
}

function compared(first: Line[], second: Line[]): string[] {
  return outlineOf(compareTraces(treeOf(...first), treeOf(...second)));
}

test("a trace is like itself", () => {
  const lines: Line[] = [
    ["a", 9],
    ["-b", 2],
    ["--c", 1],
    ["-d", 3],
  ];

  expect(compared(lines, lines)).toEqual(["a alike", "-b alike", "--c alike", "-d alike"]);
});

test("spans that only one trace has are missing or new, with everything below them", () => {
  expect(
    compared(
      [
        ["a", 9],
        ["-b", 2],
        ["--c", 1],
        ["-e", 1],
      ],
      [
        ["a", 9],
        ["-d", 3],
        ["--c", 1],
        ["-e", 1],
        ["-f", 1],
      ],
    ),
  ).toEqual(["a alike", "-b missing", "--c missing", "-d new", "--c new", "-e alike", "-f new"]);
});

test("siblings of one name correspond in order", () => {
  expect(
    compared(
      [
        ["a", 9],
        ["-q", 1],
        ["-q", 5],
      ],
      [
        ["a", 9],
        ["-q", 1],
        ["-q", 9],
        ["-q", 1],
      ],
    ),
  ).toEqual(["a alike", "-q alike", "-q slower", "-q new"]);
});

test("siblings that have changed places still correspond", () => {
  expect(
    compared(
      [
        ["a", 9],
        ["-b", 1],
        ["-c", 5],
      ],
      [
        ["a", 9],
        ["-c", 5],
        ["-b", 9],
      ],
    ),
  ).toEqual(["a alike", "-b slower", "-c alike"]);
});

test.each([
  { before: 1, after: 1.1, change: "slower" },
  { before: 1, after: 1.09, change: "alike" },
  { before: 100, after: 109, change: "alike" },
  { before: 100, after: 110, change: "slower" },
  { before: 110, after: 100, change: "faster" },
  { before: undefined, after: 9, change: "alike" },
])("$before ms and then $after ms are $change", ({ before, after, change }) => {
  expect(compared([["a", before]], [["a", after]])).toEqual([`a ${change}`]);
});

test("spans of other services do not correspond", () => {
  const tree = treeOf(["a", 1]);
  const other = traceTree({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "till" } }] },
        scopeSpans: [{ spans: [{ traceId: "t", spanId: "1", name: "a" }] }],
      },
    ],
  });

  expect(outlineOf(compareTraces(tree, other))).toEqual(["a missing", "a new"]);
});

test("only differences are shown with the spans above them", () => {
  const all = compareTraces(
    treeOf(["a", 9], ["-b", 2], ["--c", 1], ["-d", 1], ["--e", 1], ["-f", 1]),
    treeOf(["a", 9], ["-b", 2], ["--c", 1], ["-d", 1], ["--e", 5], ["-f", 1]),
  );

  expect(outlineOf(differencesOnly(all))).toEqual(["a alike", "-d alike", "--e slower"]);
  expect(changeCounts(all)).toEqual({ new: 0, missing: 0, slower: 1, faster: 0, alike: 5 });
});

test("a deep trace is compared without recursion", () => {
  const lines = Array.from({ length: 2000 }, (_, at): Line => [`${"-".repeat(at)}x`, 1]);
  const tree = treeOf(...lines);

  expect(compareTraces(tree, tree)).toHaveLength(2000);
});
