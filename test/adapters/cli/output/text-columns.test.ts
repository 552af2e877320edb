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
])("%p in %p columns is %p", (text, columns, shown) => {
  expect(cut(text, columns)).toBe(shown);
});

test.each(["a", "too long for it", "日本語の名前", "👩‍👩‍👧‍👦 family", "é"])(
  "%p fills its column exactly",
  (text) => {
    expect(widthOf(fit(text, 6))).toBe(6);
    expect(widthOf(fitRight(text, 6))).toBe(6);
  },
);

test("numbers are filled up in front", () => {
  expect(fitRight("7", 3)).toBe("  7");
  expect(fit("7", 3)).toBe("7  ");
});

test("text of a peer is escaped before it is cut", () => {
  expect(peerText(HOSTILE_NAME, 1000)).not.toMatch(UNSAFE_TEXT);
  expect(peerText("\u001b[31m", 6)).toBe("\\x1b[…");
  expect(peerText("\u001b[31m", 8)).toBe("\\x1b[31m");
});

test("the widest of texts is measured in columns", () => {
  expect(widest(["abc", "日本", ""])).toBe(4);
  expect(widest([])).toBe(0);
});

const RANGE = { startNano: 100n, endNano: 200n };

test.each([
  { name: "the whole range", from: 100n, to: 200n, bar: "██████████" },
  { name: "its first half", from: 100n, to: 150n, bar: "█████" },
  { name: "its second half", from: 150n, to: 200n, bar: "     █████" },
  { name: "an eighth of a column more", from: 100n, to: 151n, bar: "█████▏" },
  { name: "no time at all", from: 130n, to: 130n, bar: "   ▏" },
  { name: "no time, at the very end", from: 200n, to: 200n, bar: "         ▏" },
  { name: "an end before its start", from: 150n, to: 120n, bar: "     ▏" },
  { name: "a start before the range", from: 0n, to: 120n, bar: "██" },
  { name: "an end beyond it", from: 180n, to: 900n, bar: "        ██" },
])("$name is drawn", ({ from, to, bar }) => {
  expect(timeBar({ startNano: from, endNano: to }, RANGE, 10)).toBe(bar);
});

test.each([
  { name: "no end: where it begins", startNano: 150n, endNano: undefined, bar: "     ▏" },
  { name: "no start: nothing", startNano: undefined, endNano: 150n, bar: "" },
  { name: "neither: nothing", startNano: undefined, endNano: undefined, bar: "" },
])("of a span with $name is drawn", ({ startNano, endNano, bar }) => {
  expect(timeBar({ startNano, endNano }, RANGE, 10)).toBe(bar);
});

test.each([
  { startNano: undefined, endNano: 9n },
  { startNano: 1n, endNano: undefined },
])("in a range that is not known nothing is drawn: %p", (range) => {
  expect(timeBar({ startNano: 1n, endNano: 9n }, range, 10)).toBe("");
});

test("a range without length puts everything at its begin", () => {
  const instant = { startNano: 5n, endNano: 5n };

  expect(timeBar(instant, instant, 10)).toBe("▏");
});

test("no bar is wider than its columns, or nothing", () => {
  for (let from = 0n; from <= 100n; from += 1n) {
    for (let to = from; to <= 100n; to += 1n) {
      const bar = timeBar({ startNano: from, endNano: to }, { startNano: 0n, endNano: 100n }, 7);
      expect(Bun.stringWidth(bar)).toBeWithin(1, 8);
      expect(bar.trim()).not.toBe("");
    }
  }
});

test("the whole range is of the times that are known", () => {
  const spans = [
    { startNano: undefined, endNano: 6n },
    { startNano: 2n, endNano: undefined },
    { startNano: 4n, endNano: 5n },
  ];

  expect(wholeRange(spans)).toEqual({ startNano: 2n, endNano: 6n });
  expect(wholeRange(spans.slice(0, 1))).toEqual({ startNano: undefined, endNano: 6n });
  expect(wholeRange(spans.slice(1, 2))).toEqual({ startNano: 2n, endNano: undefined });
});

test("the whole range holds every span", () => {
  const spans = [
    { startNano: 5n, endNano: 6n },
    { startNano: 2n, endNano: 3n },
    { startNano: 4n, endNano: 9n },
  ];

  expect(wholeRange(spans)).toEqual({ startNano: 2n, endNano: 9n });
  expect(wholeRange([])).toEqual({ startNano: undefined, endNano: undefined });
});
