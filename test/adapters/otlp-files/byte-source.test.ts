import { expect, test } from "bun:test";
import {
  openSource,
  peekBytes,
  takeBytes,
  takeLine,
} from "../../../src/adapters/otlp-files/byte-source.ts";
import { chunksOf, textBytes } from "../../support/byte-chunks.ts";

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

test.each([1, 2, 3, 7, 100])("lines in chunks of %d are whole", async (size) => {
  const source = openSource(chunksOf(textBytes("one\n\ntwo and more\nlast"), size));
  const lines: (string | undefined)[] = [];

  for (let count = 0; count < 5; count += 1) {
    const line = await takeLine(source, 100);
    lines.push(line === undefined || line === "too long" ? line : text(line));
  }

  expect(lines).toEqual(["one", "", "two and more", "last", undefined]);
  expect(source.lineNumber).toBe(5);
});

test("a line end at the end of the file begins no line", async () => {
  const source = openSource(chunksOf(textBytes("one\n"), 100));

  expect(text((await takeLine(source, 100)) as Uint8Array)).toBe("one");
  expect(await takeLine(source, 100)).toBeUndefined();
});

test("a line without end is not held in memory", async () => {
  let chunkCount = 0;
  const endless = async function* () {
    for (;;) {
      chunkCount += 1;
      yield textBytes("x".repeat(10));
    }
  };

  expect(await takeLine(openSource(endless()), 25)).toBe("too long");
  expect(chunkCount).toBe(3);
});
