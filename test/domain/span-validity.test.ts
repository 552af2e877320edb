import { expect, test } from "bun:test";
import { explainRejection, FAULT_KINDS, isValidId } from "../../src/domain/span-validity.ts";

test("an identifier is valid if any of its bytes is not zero", () => {
  const ids = [0, 1, 2].map((at) => new Uint8Array(3).fill(1, at, at + 1));

  expect(ids.map((id) => isValidId(id, 0, 3))).toEqual([true, true, true]);
});

test("zeros are not an identifier, whichever bytes surround them", () => {
  expect(isValidId(Uint8Array.of(1, 0, 0, 1), 1, 3)).toBe(false);
  expect(isValidId(Uint8Array.of(1, 1), 1, 1)).toBe(false);
});

test.each([
  { fault: 0, remedy: "trace_id must be 16 bytes, not all zero" },
  { fault: 1, remedy: "span_id must be 8 bytes, not all zero" },
  { fault: 2, remedy: "parent_span_id must be empty or 8 bytes" },
  { fault: 3, remedy: "a link's trace_id must be empty or 16 bytes, its span_id empty or 8 bytes" },
])("the message for the sender contains the remedy: $remedy", ({ fault, remedy }) => {
  const counts = new Uint32Array(FAULT_KINDS);
  counts[fault] = 1;

  const message = explainRejection(1, counts);

  expect(message).toBe(`1 span was rejected: 1 x ${remedy}. All other spans were kept.`);
});

test("several faults are explained in one sentence, each with its count", () => {
  const message = explainRejection(5, Uint32Array.of(4, 0, 2, 0));

  expect(message).toBe(
    "5 spans were rejected: 4 x trace_id must be 16 bytes, not all zero; " +
      "2 x parent_span_id must be empty or 8 bytes. All other spans were kept.",
  );
});
