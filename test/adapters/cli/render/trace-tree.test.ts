import { expect, test } from "bun:test";
import { type TreeLine, treeLines } from "../../../../src/adapters/cli/render/trace-tree.ts";
import { shownSpan, VARIED_TRACE } from "../../../support/requests/shown-spans.ts";

function span(id: string, parent: string, fromMs = 0) {
  return shownSpan(id, parent, { fromMs, toMs: fromMs + 1 });
}

function drawn(line: TreeLine): string {
  return line.rails + (line.span === undefined ? `(${line.missing})` : line.span.spanId);
}

test("children are drawn below their parents, in the order of their starts", () => {
  const spans = [span("c", "a", 3), span("d", "b", 9), span("a", ""), span("b", "a", 2)];

  expect(treeLines(spans).map(drawn)).toEqual(["a", "├─ b", "│  └─ d", "└─ c"]);
});

test("orphans are drawn below their missing parent", () => {
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

test("the parent of a filtered trace is not shown instead of missing", () => {
  const lines = treeLines([span("b", "a")], true);

  expect(lines.map(drawn)).toEqual(["(parent a not shown)", "└─ b"]);
});

test.each([
  {
    name: "a span that is its own parent",
    spans: [span("a", "a")],
    lines: ["(cyclic parents)", "└─ a"],
  },
  {
    name: "two spans that are each other's parent",
    spans: [span("a", "b", 1), span("b", "a", 2)],
    lines: ["(cyclic parents)", "└─ a", "   └─ b"],
  },
  {
    name: "a duplicate span",
    spans: [span("a", ""), span("a", ""), span("b", "a")],
    lines: ["a", "└─ b", "a"],
  },
  {
    name: "spans without an id",
    spans: [span("", ""), span("", ""), span("", "x")],
    lines: ["", "", "(missing parent x)", "└─ "],
  },
  { name: "an empty list", spans: [], lines: [] },
])("$name: every span is drawn once", ({ spans, lines }) => {
  expect(treeLines(spans).map(drawn)).toEqual([...lines]);
});

test("only a child that begins before its parent is marked", () => {
  const marked = treeLines(VARIED_TRACE).filter(
    (line) => line.span !== undefined && line.isBeforeParent,
  );

  expect(marked.map(({ span: found }) => found?.spanId)).toEqual(["f"]);
});

test("spans with an unknown start come last and are not marked", () => {
  const unknown = { ...span("b", "a"), startNano: undefined };
  const spans = [unknown, { ...span("c", "b"), name: "child" }, span("d", "a", 5), span("a", "")];

  const lines = treeLines(spans);

  expect(lines.map(drawn)).toEqual(["a", "├─ d", "└─ b", "   └─ c"]);
  expect(lines.filter((line) => line.span !== undefined && line.isBeforeParent)).toEqual([]);
});

test("a chain of 200,000 spans is drawn with rails of limited width", () => {
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
