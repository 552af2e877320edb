import { describe, expect, test } from "bun:test";
import {
  emptyPrefix,
  isPrefixWhole,
  readPrefix,
} from "../../../src/adapters/otlp-grpc/message-prefix.ts";
import { messagePrefix } from "../../support/grpc/grpc-wire.ts";

const LENGTH = 0xfedcba98;
const BEGUN = Buffer.concat([messagePrefix(LENGTH, 1), Buffer.of(7, 7, 7)]);

/** Returns the length of the message after each piece; undefined while its prefix is not whole. */
function readAll(pieces: readonly Uint8Array[]): (number | undefined)[] {
  const prefix = emptyPrefix();
  return pieces.map((piece) => {
    readPrefix(prefix, piece);
    return isPrefixWhole(prefix) ? prefix.lengthBytes : undefined;
  });
}

describe("the length of a message is known after the piece that completes its prefix", () => {
  test.each([
    { name: "in one piece", cuts: [0, 8], lengths: [LENGTH] },
    { name: "with the prefix as the first piece", cuts: [0, 5, 8], lengths: [LENGTH, LENGTH] },
    { name: "cut in the prefix", cuts: [0, 3, 8], lengths: [undefined, LENGTH] },
    {
      name: "byte by byte",
      cuts: [0, 1, 2, 3, 4, 5, 6],
      lengths: [undefined, undefined, undefined, undefined, LENGTH, LENGTH],
    },
    { name: "after an empty piece", cuts: [0, 0, 8], lengths: [undefined, LENGTH] },
  ])("$name", ({ cuts, lengths }) => {
    const pieces = cuts.slice(1).map((end, at) => BEGUN.subarray(cuts[at], end));

    expect<readonly (number | undefined)[]>(readAll(pieces)).toEqual(lengths);
  });

  test("as 0 for an empty message", () => {
    expect(readAll([messagePrefix(0)])).toEqual([0]);
  });
});

test.each([
  { before: 0, piece: 8, own: 5 },
  { before: 3, piece: 8, own: 2 },
  { before: 5, piece: 8, own: 0 },
])("after $before bytes, $own of $piece bytes belong to the prefix", ({ before, piece, own }) => {
  const prefix = emptyPrefix();
  readPrefix(prefix, BEGUN.subarray(0, before));

  expect(readPrefix(prefix, BEGUN.subarray(0, piece))).toBe(own);
  expect(prefix.flag).toBe(1);
});
