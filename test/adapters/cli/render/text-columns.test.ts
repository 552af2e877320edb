import { expect, test } from "bun:test";
import {
  cut,
  fit,
  fitRight,
  peerText,
  widest,
  widthOf,
} from "../../../../src/adapters/cli/render/text-columns.ts";
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
