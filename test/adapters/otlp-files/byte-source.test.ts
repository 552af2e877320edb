import { expect, test } from "bun:test";
import {
  dropBytes,
  holdChunk,
  openSource,
  peekBytes,
  restOf,
  returnBytes,
  takeBytes,
} from "../../../src/adapters/otlp-files/byte-source.ts";
import { chunksOf, textBytes } from "../../support/requests/byte-chunks.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test.each([1, 2, 3, 7, 100])("bytes in chunks of %d come in pieces of any length", async (size) => {
  const source = openSource(chunksOf(textBytes("abcdefghij"), size));

  const pieces = [
    text(await peekBytes(source, 4)),
    text(await takeBytes(source, 3)),
    text(await takeBytes(source, 0)),
    text(await takeBytes(source, 5)),
    text(await peekBytes(source, 5)),
    text(await takeBytes(source, 5)),
    text(await takeBytes(source, 5)),
  ];

  expect(pieces).toEqual(["abcd", "abc", "", "defgh", "ij", "ij", ""]);
  expect(source.offsetBytes).toBe(10);
});

test.each([1, 2, 3, 7, 100])("what is dropped of chunks of %d is taken, no more", async (size) => {
  const source = openSource(chunksOf(textBytes("abcdefghij"), size));

  await peekBytes(source, 8);
  dropBytes(source, 7);

  expect([source.offsetBytes, text(await peekBytes(source, 2))]).toEqual([7, "hi"]);
});

test.each([1, 2, 3, 7, 100])("the rest of chunks of %d is all that is left", async (size) => {
  const source = openSource(chunksOf(textBytes("abcdefghij"), size));
  await takeBytes(source, 4);
  await peekBytes(source, 3);

  const rest = await Array.fromAsync(restOf(source));

  expect(text(Buffer.concat(rest))).toBe("efghij");
  expect([source.offsetBytes, source.heldBytes]).toEqual([10, 0]);
});

test("bytes that are put back are the next ones again", async () => {
  const source = openSource(chunksOf(textBytes("abcdefghij"), 3));

  returnBytes(source, await takeBytes(source, 4));

  expect([source.offsetBytes, text(await takeBytes(source, 6))]).toEqual([0, "abcdef"]);
});

test("an empty chunk is no end", async () => {
  const source = openSource(withAnEmptyOne());

  const found = [await holdChunk(source), await holdChunk(source), await holdChunk(source)];

  expect(found).toEqual([true, true, false]);
  expect(text(await takeBytes(source, 5))).toBe("ab");
});

async function* withAnEmptyOne() {
  yield* [textBytes("a"), new Uint8Array(0), textBytes("b")];
}
