import { hash as digest, randomBytes, timingSafeEqual } from "node:crypto";

/** Holds the tokens of a file as hashes only. */
export interface TokenList {
  readonly hashes: readonly Buffer[];
  /** Whether the file holds a token as plain text, which makes the file itself a secret. */
  readonly hasPlainToken: boolean;
}

export interface TokenFault {
  /** Completes "must be ...". It names a line, and never shows its text. */
  readonly bound: string;
}

/** Limits the time to check one token to about 0.1 ms. */
const MAX_TOKENS = 1_000;

const HASH_PREFIX = "sha256:";
const HASH = /^sha256:[\da-f]{64}$/i;

/** Visible ASCII, which every HTTP client can send in a header. */
const TOKEN = /^[!-~]{1,4096}$/;

/** Reads a file with a token in each line, plain or hashed. Lines that begin with # are skipped. */
export function parseTokens(file: Buffer): TokenList | TokenFault {
  const lines = file
    .toString()
    .split("\n")
    .map((line, at) => ({ text: line.trim(), number: at + 1 }));
  const tokens = lines.filter(({ text }) => text !== "" && !text.startsWith("#"));
  if (tokens.length === 0) return { bound: "a file with at least one token" };
  if (tokens.length > MAX_TOKENS) return { bound: `a file of at most ${MAX_TOKENS} tokens` };
  const wrong = tokens.find(({ text }) => !isToken(text));
  if (wrong !== undefined) return { bound: `a file of tokens, one per line: ${faultIn(wrong)}` };
  return {
    hashes: tokens.map(({ text }) => (isHash(text) ? hashFromLine(text) : hashOf(text))),
    hasPlainToken: tokens.some(({ text }) => !isHash(text)),
  };
}

/** Reports whether a line is a valid token, or a valid hash of one. */
function isToken(text: string): boolean {
  return isHash(text) ? HASH.test(text) : TOKEN.test(text);
}

/** Reports whether a text is a valid token by itself, and not the hash of one. */
export function isPlainToken(text: string): boolean {
  return !isHash(text) && TOKEN.test(text);
}

function isHash(text: string): boolean {
  return text.toLowerCase().startsWith(HASH_PREFIX);
}

function faultIn({ text, number }: { readonly text: string; readonly number: number }): string {
  if (isHash(text)) return `line ${number} is not ${HASH_PREFIX} and 64 hexadecimal digits`;
  return `line ${number} has spaces or characters that are not ASCII, or is too long`;
}

function hashFromLine(line: string): Buffer {
  return Buffer.from(line.slice(HASH_PREFIX.length), "hex");
}

function hashOf(token: string): Buffer {
  return digest("sha256", token, "buffer");
}

/** Reports whether the list has a token, in a time that depends on neither of them. */
export function acceptsToken({ hashes }: TokenList, token: string): boolean {
  const given = hashOf(token);
  let isAccepted = false;
  // No early end, which would show how far a token is from the beginning of the list.
  for (const hash of hashes) isAccepted = timingSafeEqual(hash, given) || isAccepted;
  return isAccepted;
}

/** Returns a new token of 256 random bits. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Returns the line that stands for a token in a file, from which it cannot be recovered. */
export function hashLine(token: string): string {
  return HASH_PREFIX + hashOf(token).toString("hex");
}
