import { expect, test } from "bun:test";
import { concatenate } from "../../../src/domain/wire/concatenate.ts";

test.each<{ name: string; pieces: number[][]; whole: number[] }>([
  { name: "nothing is an empty array", pieces: [], whole: [] },
  { name: "empty pieces leave no trace", pieces: [[], [1], []], whole: [1] },
  { name: "pieces come in order", pieces: [[1, 2], [3], [4, 5]], whole: [1, 2, 3, 4, 5] },
])("$name", ({ pieces, whole }) => {
  const joined = concatenate(pieces.map((piece) => Uint8Array.from(piece)));

  expect(Array.from(joined)).toEqual(whole);
});

test("a single piece is copied too: what is handed out does not change with the ring", () => {
  const piece = Uint8Array.of(1, 2);

  const joined = concatenate([piece]);
  piece.fill(9);

  expect(Array.from(joined)).toEqual([1, 2]);
});
