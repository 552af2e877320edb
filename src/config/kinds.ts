import { isIPv6 } from "node:net";
import { concealUrl, isEndpoint } from "./endpoint.ts";
import { concealHeaders, parseExportHeaders } from "../domain/text/export-headers.ts";
import { isSocketAddress, MAX_SOCKET_PATH_BYTES } from "../domain/text/host-address.ts";
import { SecretText } from "../domain/text/quote-text.ts";

export const KIB = 2 ** 10;
export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

const BYTES_OF_SUFFIX: Readonly<Record<string, number>> = { KiB: KIB, MiB: MIB, GiB: GIB };

/**
 * An environment variable. One function makes `read`, which checks values, and the bound, which
 * describes valid values, so that the two agree.
 */
export interface Variable<Value> {
  /** The text to use if the variable is unset or empty. */
  readonly unset: string;
  readonly help: string;
  /** Completes "must be ..." in a mistake. */
  readonly bound: string;
  /** Returns the value of a text, or nothing if it is invalid. */
  readonly read: (text: string) => Value | undefined;
  /** Hides the secret parts of a string, valid or not, in a mistake. */
  readonly conceal: (text: string) => string;
}

/**
 * Makes a variable of one kind. Kinds are plain functions, because a start reads each variable
 * once: creating the schemas of a validation library took a tenth of the time until the first span.
 */
export type Kind<Value, Text = string> = (unset: Text, help: string) => Variable<Value>;

/** A range, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const HOST = /^[\w.-]{1,253}$/;

export const host: Kind<string> = textKind(
  "a host name or an IP address, without brackets and without a port, or unix:/PATH of at most " +
    `${MAX_SOCKET_PATH_BYTES} bytes`,
  (text) => HOST.test(text) || isIPv6(text) || isSocketAddress(text),
);

/** The permissions of a file, in octal. */
export const mode: Kind<string> = textKind("a mode in octal such as 0660", (text) =>
  /^0?[0-7]{3}$/.test(text),
);

const PORTS: Range = { from: 0, to: 65_535 };

export const port: Kind<number | "off"> = kind(
  "a port from 1 to 65535, 0 for any free port, or off",
  (text) => (text === "off" ? text : within(PORTS, wholeNumber(text))),
);

export function count(unit: string, range: Range): Kind<number> {
  const bound = `a whole number of ${unit} from ${range.from} to ${range.to}`;
  return kind(bound, (text) => within(range, wholeNumber(text)));
}

export const DAY_MS = 24 * 60 * 60 * 1000;

export const time: Kind<number> = count("ms", { from: 1, to: DAY_MS });
export const timeOrNone: Kind<number> = count("ms", { from: 0, to: DAY_MS });

export function size(range: Range): Kind<number> {
  const [from, to] = [sizeText(range.from), sizeText(range.to)];
  const bound = `a whole number of bytes, KiB, MiB or GiB from ${from} to ${to}`;
  return kind(bound, (text) => within(range, bytesOf(text)));
}

/**
 * Makes a variable that accepts a few words or their synonyms, in any case. An empty word means
 * unset.
 */
export function choice<const Word extends string>(
  words: readonly Word[],
  synonyms: Readonly<Record<Lowercase<string>, NoInfer<Word>>> = {},
): Kind<Word, Word> {
  const known = new Map<string, Word>(Object.entries<Word>(synonyms));
  for (const word of words) known.set(word.toLowerCase(), word);
  const bound = `one of ${words.filter((word) => word !== "").join(", ")}`;
  return kind<Word, Word>(bound, (text) => known.get(text.toLowerCase()));
}

/** Origins of web pages as browsers write them, without a path or a default port. */
export const origins: Kind<readonly string[]> = kind(
  "origins such as https://shop.example, separated by commas, or * for any",
  (text) => (listed(text).every(isOrigin) ? listed(text) : undefined),
);

/** A path; empty for none. */
export const path: Kind<string> = textKind("a path", (text) => /^\P{Cc}{0,4096}$/u.test(text));

export const endpoint: Kind<SecretText> = secret(
  "a URL: http[s]://HOST:4318, grpc[s]://HOST:4317, unix:/PATH, file:///PATH.jsonl or " +
    "kafka[s]://HOST:9092,HOST:9092/TOPIC",
  (text) => text === "" || isEndpoint(text),
  concealUrl,
);

export const headers: Kind<SecretText> = secret(
  "name=value,name=value with percent-encoded values",
  (text) => parseExportHeaders(text) !== undefined,
  concealHeaders,
);

function listed(text: string): string[] {
  return text === "" ? [] : text.split(",").map((part) => part.trim());
}

function isOrigin(text: string): boolean {
  return text === "*" || (!text.includes("*") && URL.parse(text)?.origin === text);
}

function kind<Value, Text extends string = string>(
  bound: string,
  read: Variable<Value>["read"],
  conceal: Variable<Value>["conceal"] = (text) => text,
): Kind<Value, Text> {
  return (unset, help) => ({ unset, help, bound, read, conceal });
}

/** Makes a variable whose value is its text. */
function textKind(bound: string, isValid: (text: string) => boolean): Kind<string> {
  return kind(bound, (text) => (isValid(text) ? text : undefined));
}

/** Makes a variable whose value is printed only through `conceal`. */
function secret(
  bound: string,
  isValid: (text: string) => boolean,
  conceal: (text: string) => string,
): Kind<SecretText> {
  const read = (text: string) => (isValid(text) ? new SecretText(text, conceal(text)) : undefined);
  return kind(bound, read, conceal);
}

function within({ from, to }: Range, value: number): number | undefined {
  return from <= value && value <= to ? value : undefined;
}

/** Returns NaN unless the text is a whole number that a double holds exactly. */
function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

/** Returns NaN unless the text is a whole number with or without a suffix of sizes. */
function bytesOf(text: string): number {
  const [, digits, suffix] = /^(\d{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  return Number(digits) * (suffix === undefined ? 1 : BYTES_OF_SUFFIX[suffix]!);
}

/** Writes a size with the largest suffix that divides it, such as `64MiB`. */
function sizeText(bytes: number): string {
  const suffixes = Object.entries(BYTES_OF_SUFFIX).toReversed();
  const [suffix, unit] = suffixes.find(([, unitBytes]) => bytes % unitBytes === 0) ?? ["", 1];
  return `${bytes / unit}${suffix}`;
}
