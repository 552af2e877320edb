import { expect, test } from "bun:test";
import {
  cut,
  fit,
  fitRight,
  peerText,
  widest,
  widthOf,
  timeBar,
  wholeRange,
} from "../../../../src/adapters/cli/output/text-columns.ts";
import { HOSTILE_NAME, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

test.each([
  ["short", 10, "short"],
  ["exactly", 7, "exactly"],
  ["too long", 5, "too …"],
  ["日本語", 4, "日…"],
  ["日本語", 5, "日本…"],
  ["any", 1, "…"],
  ["any", 0, ""],
  ["any", -3, ""],
])("%p is cut to %p columns as %p", (text, columns, shown) => {
  expect(cut(text, columns)).toBe(shown);
});

test.each(["a", "too long for it", "日本語の名前", "👩‍👩‍👧‍👦 family", "é"])(
  "%p is cut or padded to exactly six columns",
  (text) => {
    expect(widthOf(fit(text, 6))).toBe(6);
    expect(widthOf(fitRight(text, 6))).toBe(6);
  },
);

test("numbers are padded on the left", () => {
  expect(fitRight("7", 3)).toBe("  7");
  expect(fit("7", 3)).toBe("7  ");
});

test("text of a peer is escaped before it is cut", () => {
  expect(peerText(HOSTILE_NAME, 1000)).not.toMatch(UNSAFE_TEXT);
  expect(peerText("\u001b[31m", 6)).toBe("\\x1b[…");
  expect(peerText("\u001b[31m", 8)).toBe("\\x1b[31m");
});

test("the widest text is measured in columns", () => {
  expect(widest(["abc", "日本", ""])).toBe(4);
  expect(widest([])).toBe(0);
});

const RANGE = { startNano: 100n, endNano: 200n };

test.each([
  { name: "over the whole range", from: 100n, to: 200n, bar: "██████████" },
  { name: "over its first half", from: 100n, to: 150n, bar: "█████" },
  { name: "over its second half", from: 150n, to: 200n, bar: "     █████" },
  { name: "over half the range and an eighth of a column", from: 100n, to: 151n, bar: "█████▏" },
  { name: "without duration", from: 130n, to: 130n, bar: "   ▏" },
  { name: "without duration at the end of the range", from: 200n, to: 200n, bar: "         ▏" },
  { name: "that ends before its start", from: 150n, to: 120n, bar: "     ▏" },
  { name: "that starts before the range", from: 0n, to: 120n, bar: "██" },
  { name: "that ends after the range", from: 180n, to: 900n, bar: "        ██" },
])("the bar of a span $name is drawn", ({ from, to, bar }) => {
  expect(timeBar({ startNano: from, endNano: to }, RANGE, 10)).toBe(bar);
});

test.each([
  { name: "no end is drawn at its start", startNano: 150n, endNano: undefined, bar: "     ▏" },
  { name: "no start is empty", startNano: undefined, endNano: 150n, bar: "" },
  { name: "neither is empty", startNano: undefined, endNano: undefined, bar: "" },
])("the bar of a span with $name", ({ startNano, endNano, bar }) => {
  expect(timeBar({ startNano, endNano }, RANGE, 10)).toBe(bar);
});

test.each([
  { startNano: undefined, endNano: 9n },
  { startNano: 1n, endNano: undefined },
])("a bar is empty if the range is unknown: %p", (range) => {
  expect(timeBar({ startNano: 1n, endNano: 9n }, range, 10)).toBe("");
});

test("a range without duration places every bar at its start", () => {
  const instant = { startNano: 5n, endNano: 5n };

  expect(timeBar(instant, instant, 10)).toBe("▏");
});

test("a visible bar is at least one column wide and never exceeds its columns", () => {
  for (let from = 0n; from <= 100n; from += 1n) {
    for (let to = from; to <= 100n; to += 1n) {
      const bar = timeBar({ startNano: from, endNano: to }, { startNano: 0n, endNano: 100n }, 7);
      expect(Bun.stringWidth(bar)).toBeWithin(1, 8);
      expect(bar.trim()).not.toBe("");
    }
  }
});

test("the whole range ignores unknown times", () => {
  const spans = [
    { startNano: undefined, endNano: 6n },
    { startNano: 2n, endNano: undefined },
    { startNano: 4n, endNano: 5n },
  ];

  expect(wholeRange(spans)).toEqual({ startNano: 2n, endNano: 6n });
  expect(wholeRange(spans.slice(0, 1))).toEqual({ startNano: undefined, endNano: 6n });
  expect(wholeRange(spans.slice(1, 2))).toEqual({ startNano: 2n, endNano: undefined });
});

test("the whole range includes every span", () => {
  const spans = [
    { startNano: 5n, endNano: 6n },
    { startNano: 2n, endNano: 3n },
    { startNano: 4n, endNano: 9n },
  ];

  expect(wholeRange(spans)).toEqual({ startNano: 2n, endNano: 9n });
  expect(wholeRange([])).toEqual({ startNano: undefined, endNano: undefined });
});
