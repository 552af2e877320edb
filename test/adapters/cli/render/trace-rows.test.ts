import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { clockText } from "../../../../src/adapters/cli/output/quantities.ts";
import { traceRows } from "../../../../src/adapters/cli/render/trace-rows.ts";
import { traceView } from "../../../../src/adapters/cli/render/trace-view.ts";
import {
  BEGAN_NANO,
  HOSTILE_NAME,
  shownSpan,
  TRACE_ID,
  UNSAFE_TEXT,
} from "../../../support/requests/shown-spans.ts";

const WHOLE = {
  traceId: TRACE_ID,
  root: "GET /orders/{id}",
  rootService: "shop",
  services: ["shop", "db"],
  spans: 1234,
  errors: 2,
  lastSequence: 9,
  startTimeUnixNano: String(BEGAN_NANO),
  durationNano: "203000000",
};
const ROOTLESS = {
  ...WHOLE,
  root: null,
  rootService: null,
  services: [],
  spans: 1,
  errors: 0,
  durationNano: "0",
};

test("a list of traces has whole ids in 80 columns", () => {
  expect(traceRows([WHOLE, ROOTLESS], 80, PLAIN)).toEqual([
    "TRACE                             SPANS  ERRORS  DURATION  ROOT",
    `${TRACE_ID}  1,234       2    203 ms  GET /orders/{id}`,
    `${TRACE_ID}      1              0 ns  (no root)`,
  ]);
});

test.each([
  { name: "a name", root: "GET /a/very/long/path/of/an/order", shown: "GET /a/very/long/pat…" },
  { name: "wide characters", root: `a${"字".repeat(20)}`, shown: `a${"字".repeat(9)}…` },
  { name: "a name as wide as the column", root: "x".repeat(21), shown: "x".repeat(21) },
  { name: "a service", root: "GET /", shown: "GET / [shop] [db]" },
])("$name is shortened at most once in 80 columns", ({ root, shown }) => {
  const services = ["shop", "db", "字".repeat(5)];

  expect(traceRows([{ ...WHOLE, root, services }], 80, PLAIN)[1]).toEndWith(`  ${shown}`);
});

test("a trace that ends before it starts has the same duration as in the tree", () => {
  const [, row] = traceRows([{ ...WHOLE, durationNano: "-5000000" }], 80, PLAIN);
  const [, heading] = traceView([shownSpan("a", "", { fromMs: 5, toMs: 0 })], 80, PLAIN);

  expect(row).toContain(" -5.00 ms ");
  expect(heading).toContain(", -5.00 ms, ");
});

test("unknown times are displayed as unknown", () => {
  const unknown = { ...WHOLE, startTimeUnixNano: null, durationNano: null };

  expect(traceRows([unknown, WHOLE], 200, PLAIN).slice(1)).toEqual([
    `${TRACE_ID}  unknown       1,234       2   unknown  GET /orders/{id} [shop] [db]`,
    expect.stringContaining(" 203 ms "),
  ]);
});

test("a list of 200 columns has the time and all services", () => {
  const time = clockText(BEGAN_NANO);

  expect(traceRows([WHOLE], 200, PLAIN)).toEqual([
    "TRACE                             TIME          SPANS  ERRORS  DURATION  ROOT",
    `${TRACE_ID}  ${time}  1,234       2    203 ms  GET /orders/{id} [shop] [db]`,
  ]);
});

test("colours do not change the text", () => {
  const coloured = traceRows([WHOLE], 80, COLOURED).map((line) => Bun.stripANSI(line));

  expect(coloured).toEqual(traceRows([WHOLE], 80, PLAIN));
});

test("control characters of a peer are never printed", () => {
  const hostile = { ...WHOLE, root: HOSTILE_NAME, services: [HOSTILE_NAME] };

  expect(traceRows([hostile], 200, PLAIN).join("\n")).not.toMatch(UNSAFE_TEXT);
});
