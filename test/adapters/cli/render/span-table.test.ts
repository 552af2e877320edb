import { expect, test } from "bun:test";
import { COLOURED, PLAIN, serviceColours } from "../../../../src/adapters/cli/output/palette.ts";
import { clockText } from "../../../../src/adapters/cli/output/quantities.ts";
import type { ShownSpan } from "../../../../src/adapters/cli/render/shown-span.ts";
import { headerRow, rowLayout, spanRows } from "../../../../src/adapters/cli/render/span-table.ts";
import {
  BEGAN_NANO,
  shownSpan,
  UNSAFE_TEXT,
  VARIED_TRACE,
} from "../../../support/requests/shown-spans.ts";

function table(spans: readonly ShownSpan[], columns: number, palette = PLAIN): string[] {
  const layout = rowLayout(columns, spans);
  const ink = { palette, colourOf: serviceColours(palette) };
  return [headerRow(layout, palette), ...spans.flatMap((span) => spanRows(span, layout, ink))];
}

const at = (ms: number) => clockText(BEGAN_NANO + BigInt(ms) * 1_000_000n);

test("spans are aligned in 80 columns, with the first digits of their trace ids", () => {
  expect(table(VARIED_TRACE, 80)).toEqual([
    "TIME          SERVICE    NAME                                 DURATION  TRACE",
    `${at(0)}  shop       GET /orders/{id}                       120 ms  0af76519`,
    `${at(1)}  auth       authenticate                          8.50 ms  0af76519`,
    `${at(2)}  db         SELECT users                          2.00 ms  0af76519`,
    `${at(10)}  db       ✗ SELECT orders                         70.0 ms  0af76519`,
    `${" ".repeat(25)}deadlock detected`,
    `${at(81)}  shop       render                                   0 ns  0af76519`,
    `${at(-3)}  cache      another clock                         5.00 ms  0af76519`,
    `${at(50)}  worker     orphaned work whose name is far …      150 ms  0af76519`,
    `${at(60)}  worker     日本語の名前                          10.0 ms  0af76519`,
    `${at(61)}  worker     evil \\x1b[2J\\x1b]0;title\\x07\\u{2…     9.00 ms  0af76519`,
  ]);
});

test("unknown times are displayed as unknown", () => {
  const times = { fromMs: 0, toMs: 1 };
  const spans = [
    shownSpan("a", "", times, { startNano: undefined }),
    shownSpan("b", "", times, { endNano: undefined }),
  ];

  expect(table(spans, 80).slice(1)).toEqual([
    "unknown       shop       span a           unknown  0af76519",
    `${at(0)}  shop       span b           unknown  0af76519`,
  ]);
});

test("a table of fewer than 80 columns has no TRACE column", () => {
  expect(headerRow(rowLayout(79, VARIED_TRACE), PLAIN)).toEndWith(" DURATION");
});

test("a table of 200 columns has kinds, whole trace ids and attributes", () => {
  const lines = table(VARIED_TRACE, 200);

  expect(lines[0]).toMatch(/^TIME +SERVICE +KIND +NAME +DURATION +TRACE +ATTRIBUTES$/);
  expect(lines[4]).toBe(
    `${at(10)}  db       client    ✗ SELECT orders${" ".repeat(40)}70.0 ms  ` +
      "0af7651916cd43dd8448eb211c80319c  db.system=postgresql",
  );
  expect(lines[5]).toBe(`${" ".repeat(35)}deadlock detected`);
});

test.each([64, 80, 100, 120, 160, 200])("no row is wider than %d columns", (columns) => {
  const attributes = Array.from({ length: 20 }, (_, n) => ({ key: `key${n}`, value: "日本語" }));
  const spans = VARIED_TRACE.map((span) => ({
    ...span,
    attributes,
    exception: "x".repeat(300),
    service: "a-long-service-name",
  }));

  const tooWide = table(spans, columns).filter((line) => Bun.stringWidth(line) > columns);

  expect(tooWide).toEqual([]);
});

test("colours do not change the text, and errors are red", () => {
  const coloured = table(VARIED_TRACE, 200, COLOURED);

  expect(coloured.map((line) => Bun.stripANSI(line))).toEqual(table(VARIED_TRACE, 200));
  expect(coloured[4]).toContain("\u001b[31m✗ SELECT orders");
});

test("control characters of a peer are never printed", () => {
  const hostile = "\u001b[2J\u202e";
  const attributes = [{ key: hostile, value: hostile }];
  const span = shownSpan("a", "", { fromMs: 0, toMs: 1 }, { attributes, statusMessage: hostile });

  const text = table([{ ...span, service: hostile, traceId: hostile, kind: 99 }], 200).join("\n");

  expect(text).not.toMatch(UNSAFE_TEXT);
});

test("columns have default widths if the spans are not known yet", () => {
  expect(headerRow(rowLayout(80, []), PLAIN)).toBe(
    "TIME          SERVICE           NAME                          DURATION  TRACE",
  );
});
