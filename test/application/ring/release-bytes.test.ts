import { describe, expect, test } from "bun:test";
import {
  isWorthIt,
  releaseBytes,
  releaseOwnBuffer,
} from "../../../src/application/ring/release-bytes.ts";

describe("memory is freed", () => {
  test.each([
    { name: "of a piece that fills its buffer", bytes: new Uint8Array(4096) },
    {
      name: "of a message behind its prefix of five bytes",
      bytes: new Uint8Array(9000).subarray(5),
    },
  ])("$name", ({ bytes }) => {
    releaseBytes(bytes);

    expect(bytes.length).toBe(0);
  });

  test("once, although it is released twice", () => {
    const bytes = new Uint8Array(4096);

    releaseBytes(bytes);
    releaseBytes(bytes);

    expect(bytes.length).toBe(0);
  });
});

describe("memory stays as it is", () => {
  test.each([
    { name: "of a small piece", bytes: new Uint8Array(4095).fill(7) },
    { name: "of a part of something larger", bytes: new Uint8Array(9000).fill(7).subarray(6) },
    {
      name: "of what is shared between threads",
      bytes: new Uint8Array(new SharedArrayBuffer(4096)).fill(7),
    },
  ])("$name", ({ bytes }) => {
    const before = bytes.length;

    releaseBytes(bytes);

    expect(bytes.length).toBe(before);
    expect(bytes.at(-1)).toBe(7);
  });
});

test("a buffer of our own is freed as a whole, whatever part the view shows", () => {
  const buffer = new Uint8Array(9000);

  releaseOwnBuffer(buffer.subarray(100, 200));
  releaseOwnBuffer(buffer);

  expect(buffer.length).toBe(0);
});

test("small buffers are not worth keeping for it", () => {
  expect([4095, 4096].map((length) => isWorthIt(new Uint8Array(length)))).toEqual([false, true]);
});
