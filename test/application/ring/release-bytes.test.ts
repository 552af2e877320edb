import { describe, expect, test } from "bun:test";
import {
  isWorthIt,
  releaseBytes,
  releaseOwnBuffer,
} from "../../../src/application/ring/release-bytes.ts";

describe("the memory is freed", () => {
  test.each([
    { name: "of a piece that fills its buffer", bytes: new Uint8Array(4096) },
    {
      name: "of a message after its prefix of five bytes",
      bytes: new Uint8Array(9000).subarray(5),
    },
  ])("$name", ({ bytes }) => {
    releaseBytes(bytes);

    expect(bytes.length).toBe(0);
  });

  test("only once if it is released twice", () => {
    const bytes = new Uint8Array(4096);

    releaseBytes(bytes);
    releaseBytes(bytes);

    expect(bytes.length).toBe(0);
  });
});

describe("the memory is not freed", () => {
  test.each([
    { name: "of a small piece", bytes: new Uint8Array(4095).fill(7) },
    { name: "of a part of a larger buffer", bytes: new Uint8Array(9000).fill(7).subarray(6) },
    {
      name: "of a buffer shared between threads",
      bytes: new Uint8Array(new SharedArrayBuffer(4096)).fill(7),
    },
  ])("$name", ({ bytes }) => {
    const before = bytes.length;

    releaseBytes(bytes);

    expect(bytes.length).toBe(before);
    expect(bytes.at(-1)).toBe(7);
  });
});

test("an own buffer is freed as a whole, whichever part the view shows", () => {
  const buffer = new Uint8Array(9000);

  releaseOwnBuffer(buffer.subarray(100, 200));
  releaseOwnBuffer(buffer);

  expect(buffer.length).toBe(0);
});

test("only a buffer of at least 4 KiB is worth releasing", () => {
  expect([4095, 4096].map((length) => isWorthIt(new Uint8Array(length)))).toEqual([false, true]);
});
