import { readDuration, readInstant } from "./time-text.ts";

/** Describes and parses the operand of a condition. */
export interface OperandParser<Operand> {
  /** Completes "must be ...". */
  readonly bound: string;
  /** Parses a condition; returns undefined for an invalid one. */
  readonly read: (text: string, nowUnixNano: bigint) => Operand | undefined;
  /** The pattern that the API description gives for the parameter. */
  readonly pattern?: string;
}

interface Text {
  readonly value: string;
}

export function text(bound: string): OperandParser<Text> {
  return { bound, read: (value: string) => ({ value }) };
}

/** Parses a text of at least one character: an empty one would match everything. */
export function nonEmptyText(bound: string): OperandParser<Text> {
  return { bound, pattern: ".", read: (value: string) => (value === "" ? undefined : { value }) };
}

/** Parses an identifier of one of these lengths: hex digits, returned in lowercase. */
export function identifier(...lengthsBytes: readonly number[]): OperandParser<Text> {
  const lengths = lengthsBytes.map((lengthBytes) => 2 * lengthBytes);
  const isIdentifier = (value: string) => lengths.includes(value.length) && HEX.test(value);
  return {
    bound: `${lengths.join(" or ")} hex digits`,
    pattern: lengths.map((digits) => `^[0-9A-Fa-f]{${digits}}$`).join("|"),
    read: (value: string) => (isIdentifier(value) ? { value: value.toLowerCase() } : undefined),
  };
}

const HEX = /^[\da-f]+$/i;

/** Parses a word, in any case, or its number. */
export function choice(words: readonly string[]): OperandParser<{ readonly value: number }> {
  return {
    bound: `one of ${words.join(", ")}, or a number from 0 to ${words.length - 1}`,
    read: (written: string) => {
      const word = written.toLowerCase();
      const value = words.findIndex((known, at) => word === known || written === String(at));
      return value < 0 ? undefined : { value };
    },
  };
}

/** Splits at the first "=", so that a value may contain one. */
export function readAttribute(
  written: string,
): { readonly key: string; readonly value: string } | undefined {
  const split = written.indexOf("=");
  if (split < 1) return undefined;
  return { key: written.slice(0, split), value: written.slice(split + 1) };
}

export function duration(): OperandParser<{ readonly durationNano: bigint }> {
  return {
    bound: "a duration: a number with ns, us, ms, s, m or h, such as 250ms or 1.5s",
    read: (written: string) => {
      const durationNano = readDuration(written);
      return durationNano === undefined ? undefined : { durationNano };
    },
  };
}

export function instant(): OperandParser<{ readonly unixNano: bigint }> {
  return {
    bound:
      "a time (2026-01-31T12:00:00Z), a date (2026-01-31, in UTC), a Unix time of 10 digits (s), " +
      "13 (ms), 16 (us) or 19 (ns), or how long ago (5m)",
    read: (written: string, nowUnixNano: bigint) => {
      const unixNano = readInstant(written, nowUnixNano);
      return unixNano === undefined ? undefined : { unixNano };
    },
  };
}
