import { isIPv6 } from "node:net";
import * as z from "zod/mini";
import { concealUrl, isEndpoint } from "./endpoint.ts";
import { concealHeaders, parseExportHeaders } from "../domain/text/export-headers.ts";
import { isSocketAddress, MAX_SOCKET_PATH_BYTES } from "../domain/text/host-address.ts";
import { SecretText } from "../domain/text/quote-text.ts";

export const KIB = 2 ** 10;
export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

const BYTES_OF_SUFFIX: Readonly<Record<string, number>> = { KiB: KIB, MiB: MIB, GiB: GIB };

/**
 * An environment variable. One function makes the schema, which checks values, and the bound, which
 * describes valid values, so that the two agree.
 */
export interface Variable<Value> {
  /** The text to use if the variable is unset or empty. */
  readonly unset: string;
  readonly help: string;
  /** Completes "must be ..." in a mistake. */
  readonly bound: string;
  readonly schema: z.ZodMiniType<Value, string>;
  /** Hides the secret parts of a string, valid or not, in a mistake. */
  readonly conceal: (text: string) => string;
}

/**
 * Makes a variable of one kind. Variables of a kind share its schema, because creating schemas, at
 * about 0.1 ms each, is most of the cost of reading the configuration.
 */
export type Kind<Value, Text = string> = (unset: Text, help: string) => Variable<Value>;

/** A range, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const HOST = /^[\w.-]{1,253}$/;

const wholeText = z.pipe(z.string().check(z.regex(/^\d{1,15}$/)), z.transform(Number));

const bytesText = z.pipe(
  z.string().check(z.regex(/^\d{1,15}(KiB|MiB|GiB)?$/)),
  z.transform(toBytes),
);

export const host: Kind<string> = kind(
  "a host name or an IP address, without brackets and without a port, or unix:/PATH of at most " +
    `${MAX_SOCKET_PATH_BYTES} bytes`,
  z.string().check(z.refine((text) => HOST.test(text) || isIPv6(text) || isSocketAddress(text))),
);

/** The permissions of a file, in octal. */
export const mode: Kind<string> = kind(
  "a mode in octal such as 0660",
  z.string().check(z.regex(/^0?[0-7]{3}$/)),
);

export const port: Kind<number | "off"> = kind(
  "a port from 1 to 65535, 0 for any free port, or off",
  z.union([z.literal("off"), z.pipe(wholeText, within({ from: 0, to: 65_535 }))]),
);

export function count(unit: string, range: Range): Kind<number> {
  const bound = `a whole number of ${unit} from ${range.from} to ${range.to}`;
  return kind(bound, z.pipe(wholeText, within(range)));
}

export const DAY_MS = 24 * 60 * 60 * 1000;

export const time: Kind<number> = count("ms", { from: 1, to: DAY_MS });
export const timeOrNone: Kind<number> = count("ms", { from: 0, to: DAY_MS });

export function size(range: Range): Kind<number> {
  const [from, to] = [sizeText(range.from), sizeText(range.to)];
  const bound = `a whole number of bytes, KiB, MiB or GiB from ${from} to ${to}`;
  return kind(bound, z.pipe(bytesText, within(range)));
}

/**
 * Makes a variable that accepts a few words or their synonyms, in any case. An empty word means
 * unset.
 */
export function choice<const Word extends string>(
  words: readonly Word[],
  synonyms: Readonly<Record<Lowercase<string>, NoInfer<Word>>> = {},
): Kind<Word, Word> {
  const known = new Map(Object.entries<string>(synonyms));
  for (const word of words) known.set(word.toLowerCase(), word);
  const asListed = (text: string): string => known.get(text.toLowerCase()) ?? text;
  const schema = z.pipe(z.pipe(z.string(), z.transform(asListed)), z.enum(words));
  return kind(`one of ${words.filter((word) => word !== "").join(", ")}`, schema);
}

/** Origins of web pages as browsers write them, without a path or a default port. */
export const origins: Kind<readonly string[]> = kind(
  "origins such as https://shop.example, separated by commas, or * for any",
  z.pipe(
    z.string().check(z.refine((text) => listed(text).every(isOrigin))),
    z.transform((text: string): readonly string[] => listed(text)),
  ),
);

/** A path; empty for none. */
export const path: Kind<string> = kind("a path", z.string().check(z.regex(/^\P{Cc}{0,4096}$/u)));

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

function kind<Value>(
  bound: string,
  schema: Variable<Value>["schema"],
  conceal: Variable<Value>["conceal"] = (text) => text,
): Kind<Value> {
  return (unset, help) => ({ unset, help, bound, schema, conceal });
}

/** Makes a variable whose value is printed only through `conceal`. */
function secret(
  bound: string,
  isRight: (text: string) => boolean,
  conceal: (text: string) => string,
): Kind<SecretText> {
  const schema = z.pipe(
    z.string().check(z.refine(isRight)),
    z.transform((text: string) => new SecretText(text, conceal(text))),
  );
  return kind(bound, schema, conceal);
}

function within({ from, to }: Range): z.ZodMiniType<number, number> {
  return z.number().check(z.refine((value) => from <= value && value <= to));
}

/** Writes a size with the largest suffix that divides it, such as `64MiB`. */
function sizeText(bytes: number): string {
  const suffixes = Object.entries(BYTES_OF_SUFFIX).toReversed();
  const [suffix, unit] = suffixes.find(([, unitBytes]) => bytes % unitBytes === 0) ?? ["", 1];
  return `${bytes / unit}${suffix}`;
}

function toBytes(text: string): number {
  const suffix = text.replace(/^\d+/, "");
  return Number.parseInt(text, 10) * (BYTES_OF_SUFFIX[suffix] ?? 1);
}
