import { expect, test } from "bun:test";
import { cursorText, readCursor } from "../../src/domain/cursor.ts";

test.each([
  { text: "0", cursor: { runId: undefined, sequence: 0 } },
  { text: "17", cursor: { runId: undefined, sequence: 17 } },
  { text: "9007199254740991", cursor: { runId: undefined, sequence: 2 ** 53 - 1 } },
  { text: "3f9a0c5e7b21d804-17", cursor: { runId: "3f9a0c5e7b21d804", sequence: 17 } },
  { text: "7-17", cursor: { runId: "7", sequence: 17 } },
])("$text is read as a cursor", ({ text, cursor }) => {
  expect(readCursor(text)).toEqual(cursor);
});

test.each([
  { name: "an empty text", text: "" },
  { name: "a negative number", text: "-1" },
  { name: "a run without a sequence", text: "3f9a0c5e7b21d804-" },
  { name: "a run alone", text: "3f9a0c5e7b21d804" },
  { name: "a leading zero", text: "3f9a0c5e7b21d804-017" },
  { name: "a fraction", text: "1.5" },
  { name: "two numbers", text: "1 2" },
  { name: "a sequence beyond the safe integers", text: "9007199254740992" },
  { name: "a run with other characters", text: "../a-17" },
  { name: "a run that is too long", text: `${"a".repeat(65)}-17` },
])("$name is not read as a cursor", ({ text }) => {
  expect(readCursor(text)).toBeUndefined();
});

test("a cursor that is written is read back unchanged", () => {
  const text = cursorText("3f9a0c5e7b21d804", 17);

  expect(text).toBe("3f9a0c5e7b21d804-17");
  expect(readCursor(text)).toEqual({ runId: "3f9a0c5e7b21d804", sequence: 17 });
});
