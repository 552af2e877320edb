import { expect, test } from "bun:test";
import { type TreeLine, treeLines } from "../../../../src/adapters/cli/render/trace-tree.ts";
import { shownSpan, VARIED_TRACE } from "../../../support/requests/shown-spans.ts";

function span(id: string, parent: string, fromMs = 0) {
  return shownSpan(id, parent, { fromMs, toMs: fromMs + 1 });
}

function drawn(line: TreeLine): string {
  return line.rails + (line.span === undefined ? `(${line.missing})` : line.span.spanId);
}

test("children are under their parents, siblings in the order of their starts", () => {
  const spans = [span("c", "a", 3), span("d", "b", 9), span("a", ""), span("b", "a", 2)];

  expect(treeLines(spans).map(drawn)).toEqual(["a", "├─ b", "│  └─ d", "└─ c"]);
});

test("spans without their parent stand under what is missing", () => {
  const spans = [span("a", ""), span("c", "gone", 5), span("b", "gone", 4), span("d", "lost")];

  expect(treeLines(spans).map(drawn)).toEqual([
    "a",
    "(missing parent lost)",
    "└─ d",
    "(missing parent gone)",
    "├─ b",
    "└─ c",
  ]);
});

test.each([
  { name: "its own parent", spans: [span("a", "a")], lines: ["(parents in a circle)", "└─ a"] },
  {
    name: "each the other's parent",
    spans: [span("a", "b", 1), span("b", "a", 2)],
    lines: ["(parents in a circle)", "└─ a", "   └─ b"],
  },
  {
    name: "a span that came twice",
    spans: [span("a", ""), span("a", ""), span("b", "a")],
    lines: ["a", "└─ b", "a"],
  },
  {
    name: "spans without an id",
    spans: [span("", ""), span("", ""), span("", "x")],
    lines: ["", "", "(missing parent x)", "└─ "],
  },
  { name: "no span", spans: [], lines: [] },
])("$name: every span is drawn, and once", ({ spans, lines }) => {
  expect(treeLines(spans).map(drawn)).toEqual([...lines]);
});

test("a child that begins before its parent is marked, and no other", () => {
  const marked = treeLines(VARIED_TRACE).filter(
    (line) => line.span !== undefined && line.isBeforeParent,
  );

  expect(marked.map(({ span: found }) => found?.spanId)).toEqual(["f"]);
});

test("spans whose start is not known come last, and not before their parent", () => {
  const unknown = { ...span("b", "a"), startNano: undefined };
  const spans = [unknown, { ...span("c", "b"), name: "child" }, span("d", "a", 5), span("a", "")];

  const lines = treeLines(spans);

  expect(lines.map(drawn)).toEqual(["a", "├─ d", "└─ b", "   └─ c"]);
  expect(lines.filter((line) => line.span !== undefined && line.isBeforeParent)).toEqual([]);
});

test("a chain of 200,000 spans is drawn, with rails only where they help", () => {
  const spans = Array.from({ length: 200_000 }, (_, at) =>
    span(String(at), at === 0 ? "" : String(at - 1), at),
  );

  const lines = treeLines(spans);

  expect(lines).toHaveLength(200_000);
  expect(lines.at(-1)).toMatchObject({ depth: 199_999, rails: "" });
  expect(lines.filter(({ rails }) => rails.length > 120)).toEqual([]);
});

test("50,000 children of one span are drawn in the order of their starts", () => {
  const children = Array.from({ length: 50_000 }, (_, at) => span(`c${at}`, "a", 50_000 - at));

  const lines = treeLines([span("a", ""), ...children]);

  expect(lines).toHaveLength(50_001);
  expect(drawn(lines[1]!)).toBe("├─ c49999");
  expect(drawn(lines.at(-1)!)).toBe("└─ c0");
});
