import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  createNumberText,
  readWhole,
  scanNumber,
} from "../../../../src/adapters/otlp/json/json-number.ts";
import { fuzzRuns } from "../../../support/running/fuzz-runs.ts";

const encoder = new TextEncoder();

/** Returns the value of a whole 64-bit number, or what the text is instead. */
function wholeOf(text: string): bigint | "not whole" | "not a number" {
  const number = createNumberText();
  const bytes = encoder.encode(text);
  if (scanNumber(number, bytes, 0) !== bytes.length) return "not a number";
  if (!readWhole(number, bytes)) return "not whole";
  const magnitude = BigInt(number.high) * 2n ** 32n + BigInt(number.low);
  return number.isNegative ? -magnitude : magnitude;
}

test.each([
  "",
  "-",
  "+1",
  "01",
  "-01",
  ".5",
  "1.",
  "1.e3",
  "1e",
  "1e+",
  "1e1.5",
  "0x10",
  "1_0",
  "٣",
])("%p is rejected as by JSON.parse", (text) => {
  expect(wholeOf(text)).toBe("not a number");
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
});

test.each([
  { text: "0", value: 0n },
  { text: "-0.000e-7", value: 0n },
  { text: "100", value: 100n },
  { text: "100e-2", value: 1n },
  { text: "100e-3", value: "not whole" },
  { text: "0.0010E3", value: 1n },
  { text: "999999999", value: 999_999_999n },
  { text: "1000000000", value: 1_000_000_000n },
  { text: "999999999999999", value: 999_999_999_999_999n },
  { text: "1000000000000000", value: 1_000_000_000_000_000n },
  { text: "18446744073709551615", value: 2n ** 64n - 1n },
  { text: "-18446744073709551615.000", value: 1n - 2n ** 64n },
  { text: "18446744073709551616", value: "not whole" },
  { text: "100000000000000000000", value: "not whole" },
  { text: `1${"0".repeat(30)}e-30`, value: 1n },
  { text: `0.${"0".repeat(30)}1e31`, value: 1n },
  { text: "1e1000000000000000000000", value: "not whole" },
] as const)("$text is read as $value", ({ text, value }) => {
  expect(wholeOf(text)).toBe(value);
});

function digits(most: number): fc.Arbitrary<string> {
  const digit = fc.nat({ max: 9 });
  return fc.array(digit, { minLength: 1, maxLength: most }).map((all) => all.join(""));
}

// Goal: no notation loses a digit. Method: comparison with exact arithmetic on bigints.
test("a number in any notation is read as exact arithmetic reads it", () => {
  const whole = digits(22).map((text) => text.replace(/^0+(?=\d)/, ""));
  const parts = fc.tuple(
    fc.boolean(),
    whole,
    fc.option(digits(6)),
    fc.option(fc.integer({ min: -9, max: 9 })),
  );
  const property = fc.property(parts, ([isNegative, before, fractionDigits, exponent]) => {
    const fraction = fractionDigits === null ? "" : `.${fractionDigits}`;
    const power = exponent === null ? "" : `e${exponent}`;

    const value = wholeOf(`${isNegative ? "-" : ""}${before}${fraction}${power}`);

    // In units of 10^-16, the lowest possible digit.
    const shift = 16 - (fractionDigits?.length ?? 0) + (exponent ?? 0);
    const units = BigInt(before + (fractionDigits ?? "")) * 10n ** BigInt(shift);
    const isWhole = units % 10n ** 16n === 0n && units / 10n ** 16n < 2n ** 64n;
    const exact = units / 10n ** 16n;
    expect(value).toBe(isWhole ? (isNegative ? -exact : exact) : "not whole");
  });

  fc.assert(property, { numRuns: fuzzRuns(2_000) });
});
