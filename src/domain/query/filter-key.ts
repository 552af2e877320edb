import { TRACE_ID_BYTES } from "../span-validity.ts";
import { uint32At } from "../wire/scalars.ts";
import { meansMoreThanText } from "./wanted-attribute.ts";

/**
 * A key that a filter requires of a span. Filters are found by the keys of a span, so that only
 * those are tried on it. Different filters may have equal keys, because different values
 * occasionally share a hash or a tail.
 */
export type FilterKey =
  | { readonly on: "trace_id"; readonly tail: number }
  | { readonly on: "name"; readonly hash: number }
  | ({ readonly on: "attribute" } & AttributeHashes)
  | { readonly on: "service"; readonly value: string };

/**
 * The hash of an attribute's key, and the hashes of that key with each kind of value that the text
 * may mean.
 */
export interface AttributeHashes {
  readonly keyBytes: number;
  readonly keyHash: number;
  readonly pairHashes: readonly number[];
}

/** The kinds of keys: most selective first, and the cheapest to compute first among equals. */
const KEYS_BY_RANK = ["trace_id", "name", "attribute", "service"] as const;

/** Returns the first key of each kind, by rank. */
export function rankedKeys(keys: readonly FilterKey[]): FilterKey[] {
  const ranked = KEYS_BY_RANK.map((on) => keys.find((key) => key.on === on));
  return ranked.filter((key) => key !== undefined);
}

export function traceKey(traceId: string): FilterKey & { readonly on: "trace_id" } {
  return { on: "trace_id", tail: traceTail(Uint8Array.fromHex(traceId), 0) };
}

export function nameKey(name: string): FilterKey {
  return { on: "name", hash: hashOf(name) };
}

export function attributeKey({ key, value }: { key: string; value: string }): FilterKey {
  const keyHash = hashOf(key);
  const pair = pairHash(keyHash, hashOf(value));
  const pairHashes = meansMoreThanText(value) ? [pair, otherHash(keyHash)] : [pair];
  return { on: "attribute", keyBytes: Buffer.byteLength(key), keyHash, pairHashes };
}

/** Returns the hash of an attribute whose value is a string. */
export function pairHash(keyHash: number, valueHash: number): number {
  return (Math.imul(keyHash, 0x9e3779b1) ^ valueHash) >>> 0;
}

/**
 * Returns the hash for all other values, because a number can be written in too many ways to be
 * hashed.
 */
export function otherHash(keyHash: number): number {
  return pairHash(keyHash, 0x5bd1e995);
}

/** Returns the last four bytes of the trace id at `at`. SDKs choose all its bytes at random. */
export function traceTail(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at + TRACE_ID_BYTES - 4);
}

/**
 * Returns a 32-bit hash of a string: its length, and four bytes each from its beginning, middle and
 * end. It takes three loads for a string of any length. Strings that differ only elsewhere have
 * equal hashes and are compared in full afterwards; they should be rare.
 */
export function nameHash(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 4) return shortHash(bytes, start, end);
  const middle = start + ((length - 4) >>> 1);
  const ends = Math.imul(uint32At(bytes, start), 0x01000193) ^ uint32At(bytes, end - 4);
  const hash = Math.imul(ends ^ Math.imul(uint32At(bytes, middle), 0x85ebca6b), 0x9e3779b1);
  return (hash ^ (hash >>> 15) ^ Math.imul(length, 0x01000193)) >>> 0;
}

function shortHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at += 1) hash = hash * 256 + bytes[at]!;
  return hash;
}

function hashOf(name: string): number {
  const bytes = new TextEncoder().encode(name);
  return nameHash(bytes, 0, bytes.length);
}
