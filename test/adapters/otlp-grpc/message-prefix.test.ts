import { describe, expect, test } from "bun:test";
import { emptyPrefix, readPrefix } from "../../../src/adapters/otlp-grpc/message-prefix.ts";
import { messagePrefix } from "../../support/grpc/grpc-wire.ts";

const LENGTH = 0xfedcba98;
const BEGUN = Buffer.concat([messagePrefix(LENGTH, 1), Buffer.of(7, 7, 7)]);

/** The length, where it is said; undefined after a piece that does not say it. */
function readAll(pieces: readonly Uint8Array[]): (number | undefined)[] {
  const prefix = emptyPrefix();
  return pieces.map((piece) => (readPrefix(prefix, piece) ? prefix.lengthBytes : undefined));
}

describe("the length of a message is told once, by the piece that brings the last of it", () => {
  test.each([
    { name: "all in one piece", cuts: [0, 8], said: [LENGTH] },
    { name: "just the prefix", cuts: [0, 5, 8], said: [LENGTH, undefined] },
    { name: "cut in the middle", cuts: [0, 3, 8], said: [undefined, LENGTH] },
    {
      name: "byte by byte",
      cuts: [0, 1, 2, 3, 4, 5, 6],
      said: [undefined, undefined, undefined, undefined, LENGTH, undefined],
    },
    { name: "behind a piece of nothing", cuts: [0, 0, 8], said: [undefined, LENGTH] },
  ])("$name", ({ cuts, said }) => {
    const pieces = cuts.slice(1).map((end, at) => BEGUN.subarray(cuts[at], end));

    expect<readonly (number | undefined)[]>(readAll(pieces)).toEqual(said);
  });

  test("a message without bytes has the length 0", () => {
    expect(readAll([messagePrefix(0)])).toEqual([0]);
  });
});
