import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import {
  traceView,
  type TreeLine,
  treeLines,
} from "../../../../src/adapters/cli/render/trace-view.ts";
import {
  BEGAN_NANO,
  shownSpan,
  TRACE_ID,
  UNSAFE_TEXT,
  VARIED_TRACE,
} from "../../../support/requests/shown-spans.ts";

const began = (nanos: bigint) => {
  const date = new Date(Number(nanos / 1_000_000n));
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().replace("T", " ").replace("Z", "");
};

test("a trace is drawn as a tree with bars in 80 columns", () => {
  const lines = traceView(VARIED_TRACE, 80, PLAIN);

  expect(lines).toEqual([
    "trace 0af7651916cd43dd8448eb211c80319c",
    `9 spans, 1 error, 5 services, 203 ms, began ${began(BEGAN_NANO - 3_000_000n)}`,
    "",
    "  GET /orders/{id}                     shop     120 ms  ██████████████▏",
    "! ├─ another clock                     cache   5.00 ms  ▋",
    "  ├─ authenticate                      auth    8.50 ms  █",
    "  │  └─ SELECT users                   db      2.00 ms   ▎",
    "✗ ├─ SELECT orders                     db      70.0 ms    ████████▎",
    "  │  deadlock detected",
    "  └─ render                            shop       0 ns            ▏",
    "! missing parent 00f067aa0ba902b7",
    "  └─ orphaned work whose name is far…  worker   150 ms        █████████████████▊",
    "     ├─ 日本語の名前                   worker  10.0 ms         █▏",
    "     └─ evil \\x1b[2J\\x1b]0;title\\x07…  worker  9.00 ms          █▏",
    "",
    "! 1 span begins before the parent: clocks differ",
  ]);
});

const ROOT = shownSpan("a", "", { fromMs: 0, toMs: 100 });

test.each([
  {
    name: "no start",
    spans: [ROOT, shownSpan("b", "a", { fromMs: 0, toMs: 50 }, { startNano: undefined })],
    facts: `2 spans, 1 service, 100 ms, began ${began(BEGAN_NANO)}`,
    row: "  └─ span b  shop  unknown",
  },
  {
    name: "no end",
    spans: [ROOT, shownSpan("b", "a", { fromMs: 50, toMs: 0 }, { endNano: undefined })],
    facts: `2 spans, 1 service, 100 ms, began ${began(BEGAN_NANO)}`,
    row: `  └─ span b  shop  unknown  ${" ".repeat(26)}▏`,
  },
  {
    name: "no end, alone in its trace",
    spans: [shownSpan("a", "", { fromMs: 0, toMs: 0 }, { endNano: undefined })],
    facts: `1 span, 1 service, duration unknown, began ${began(BEGAN_NANO)}`,
    row: "  span a  shop  unknown",
  },
  {
    name: "neither start nor end",
    spans: [
      shownSpan("a", "", { fromMs: 0, toMs: 0 }, { startNano: undefined, endNano: undefined }),
    ],
    facts: "1 span, 1 service, duration unknown, start unknown",
    row: "  span a  shop  unknown",
  },
])(
  "a span with $name is displayed as unknown, and does not affect the bounds of its trace",
  (given) => {
    const lines = traceView(given.spans, 80, PLAIN);

    expect(lines.slice(0, 3)).toEqual([`trace ${TRACE_ID}`, given.facts, ""]);
    expect(lines.at(-1)).toBe(given.row);
  },
);

test("in 200 columns, names are complete and bars are longer", () => {
  const lines = traceView(VARIED_TRACE, 200, PLAIN);

  const orphan = lines.find((line) => line.includes("orphaned"))!;
  expect(orphan).toContain("orphaned work whose name is far too long for eighty columns  ");
  expect(orphan.split("█")).toHaveLength(74);
  expect(Bun.stringWidth(orphan)).toBeWithin(160, 201);
});

test.each([70, 80, 120, 200])("no line is wider than %d columns", (columns) => {
  const lines = traceView(VARIED_TRACE, columns, PLAIN);

  expect(lines.filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
});

test("colours do not change the text", () => {
  const coloured = traceView(VARIED_TRACE, 80, COLOURED);

  expect(coloured.map((line) => Bun.stripANSI(line))).toEqual(traceView(VARIED_TRACE, 80, PLAIN));
});

test("an erroneous span is red from its sign to its bar, and services differ in colour", () => {
  const lines = traceView(VARIED_TRACE, 80, COLOURED);
  const lineOf = (name: string) => lines.find((line) => line.includes(name))!;

  expect(lineOf("SELECT orders")).toStartWith("\u001b[31m✗ \u001b[0m");
  expect(lineOf("SELECT orders")).toEndWith("  \u001b[31m████████▎\u001b[0m");
  const colours = ["shop ", "auth ", "cache "].map((service) =>
    lines
      .map((line) => line.split(service)[0]!.slice(-5))
      .find((colour) => /\[\d\dm$/.test(colour)),
  );
  expect(new Set(colours).size).toBe(3);
});

test("control characters in names are never printed", () => {
  const text = traceView(VARIED_TRACE, 200, PLAIN).join("\n");

  expect(text).not.toMatch(UNSAFE_TEXT);
});

test("several traces are drawn one below the other", () => {
  const other = shownSpan("z", "", { fromMs: 0, toMs: 1 }, { traceId: "ff" });

  const lines = traceView([VARIED_TRACE[0]!, other], 80, PLAIN);

  expect(lines.filter((line) => line.startsWith("trace "))).toHaveLength(2);
  expect(lines.filter((line) => line === "")).toHaveLength(3);
});

test("rails that leave no space for names are replaced by the depth", () => {
  const chain = Array.from({ length: 30 }, (_, at) =>
    shownSpan(String(at), at === 0 ? "" : String(at - 1), { fromMs: at, toMs: 60 - at }),
  );

  const lines = traceView(chain, 80, PLAIN);

  expect(lines).toContainEqual(expect.stringMatching(/^ {2}29└─ span 29 /));
  expect(lines.filter((line) => Bun.stringWidth(line) > 80)).toEqual([]);
});

test("the bounds of a trace include all its spans, in any order", () => {
  const spans = [
    shownSpan("b", "a", { fromMs: 10, toMs: 20 }),
    shownSpan("a", "", { fromMs: 0, toMs: 5 }),
  ];

  expect(traceView(spans, 80, PLAIN)[1]).toBe(
    `2 spans, 1 service, 20.0 ms, began ${began(BEGAN_NANO)}`,
  );
});

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
