import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { traceView } from "../../../../src/adapters/cli/render/trace-view.ts";
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
  expect(orphan.split("█")).toHaveLength(71);
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

function chainOf(length: number) {
  return Array.from({ length }, (_, at) =>
    shownSpan(String(at), at === 0 ? "" : String(at - 1), { fromMs: at, toMs: 100 - at }),
  );
}

test.each([
  { length: 10, columns: 80, last: `  ${" ".repeat(24)}└─ span 9 ` },
  { length: 14, columns: 80, last: `  ${" ".repeat(24)}└─ span 13 ` },
  { length: 28, columns: 80, last: `  ${" ".repeat(26)}└ span 27 ` },
  { length: 40, columns: 200, last: `  ${" ".repeat(114)}└─ span 39 ` },
  { length: 60, columns: 80, last: `  ${" ".repeat(28)}59└─ span 59 ` },
  { length: 60, columns: 20, last: `  59└─ span 59 ` },
])("$length levels are a tree in $columns columns", ({ length, columns, last }) => {
  const lines = traceView(chainOf(length), columns, PLAIN);

  expect(lines.at(-1)).toStartWith(last);
  const widest = Math.max(...lines.slice(3).map((line) => Bun.stringWidth(line)));
  expect(widest).toBeLessThanOrEqual(Math.max(columns, 42));
});

test("siblings and what went wrong stay below each other on narrow rails", () => {
  const chain = chainOf(13);
  const failed = { isError: true, exception: "E: no", name: "failed" };
  const spans = [
    ...chain,
    shownSpan("x", "11", { fromMs: 50, toMs: 60 }, failed),
    shownSpan("y", "10", { fromMs: 50, toMs: 60 }, { name: "last" }),
  ];

  const names = traceView(spans, 80, PLAIN).map((line) => line.slice(0, 35).trimEnd());

  expect(names.slice(-5)).toEqual([
    `  ${" ".repeat(20)}├─ span 11`,
    `  ${" ".repeat(20)}│ ├─ span 12`,
    `✗ ${" ".repeat(20)}│ └─ failed`,
    `  ${" ".repeat(20)}│    E: no`,
    `  ${" ".repeat(20)}└─ last`,
  ]);
});

test("attributes are listed below their span, if they are wanted", () => {
  const lines = traceView(VARIED_TRACE, 80, PLAIN, { areAttributesShown: true });

  const failed = lines.findIndex((line) => line.includes("SELECT orders"));
  expect(lines.slice(failed + 1, failed + 5)).toEqual([
    "  │  deadlock detected",
    "  │  span d",
    "  │  db.system=postgresql",
    expect.stringContaining("  └─ render "),
  ]);
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
