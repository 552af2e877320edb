import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  base64InPlace,
  hexInPlace,
  hexValue,
} from "../../../../src/adapters/otlp/json/json-string.ts";

const BEFORE = 3;

type Decode = (bytes: Uint8Array, from: number, end: number) => number;

/** Decodes the text between other bytes, in place; returns undefined if it is refused. */
function decoded(decode: Decode, text: string): Uint8Array | undefined {
  const bytes = new TextEncoder().encode(`aa:${text}:zz`);
  const end = decode(bytes, BEFORE, bytes.length - BEFORE);
  expect(new TextDecoder().decode(bytes.subarray(0, BEFORE))).toBe("aa:");
  expect(new TextDecoder().decode(bytes.subarray(-BEFORE))).toBe(":zz");
  return end < 0 ? undefined : bytes.slice(BEFORE, end);
}

test("hex is decoded in both cases", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, isUpper) => {
    const text = isUpper ? bytes.toHex().toUpperCase() : bytes.toHex();

    expect(decoded(hexInPlace, text)).toEqual(bytes);
  });

  fc.assert(property);
});

test.each(["a", "abc", "0g", "g0", " 0", "0x", "a-", "é"])("%p is refused as hex", (text) => {
  expect(decoded(hexInPlace, text)).toBeUndefined();
});

test("only a hex digit has a value", () => {
  expect([0x30, 0x39, 0x41, 0x46, 0x61, 0x66].map(hexValue)).toEqual([0, 9, 10, 15, 10, 15]);
  expect([0x2f, 0x3a, 0x40, 0x47, 0x60, 0x67, 0xff, undefined].map(hexValue)).toEqual(
    Array(8).fill(-1),
  );
});

test("base64 is decoded in both alphabets, with and without padding", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const padded = Buffer.from(bytes).toString("base64");
    const urlSafe = Buffer.from(bytes).toString("base64url");

    expect(decoded(base64InPlace, padded)).toEqual(bytes);
    expect(decoded(base64InPlace, padded.replaceAll("=", ""))).toEqual(bytes);
    expect(decoded(base64InPlace, urlSafe)).toEqual(bytes);
  });

  fc.assert(property);
});

test.each([
  "A",
  "AAAAA",
  "AA=",
  "AAA==",
  "AAAA=",
  "AAAA==",
  "=",
  "==",
  "A===",
  "====",
  "AA=A",
  "A A=",
  "AA\n=",
  "é=",
])("%p is refused as base64", (text) => {
  expect(decoded(base64InPlace, text)).toBeUndefined();
});

test("bits after the last whole byte are dropped", () => {
  expect(decoded(base64InPlace, "/x==")).toEqual(Uint8Array.of(255));
});
