import { TRACE_ID_BYTES } from "../span-validity.ts";
import { uint32At } from "../wire/scalar-bytes.ts";
import type { SpanCondition, SpanFilter } from "./span-filter.ts";
import { meansMoreThanText } from "./wanted-attribute.ts";

/**
 * An equality that a filter asks for, so that of many filters only those are tried on a span that a
 * look-up by its own keys finds. Those with the same key may still differ: a hash and a tail are
 * shared by others, rarely.
 */
export type FilterKey =
  | { readonly on: "trace_id"; readonly tail: number }
  | { readonly on: "name"; readonly hash: number }
  | ({ readonly on: "attribute" } & AttributeHashes)
  | { readonly on: "service"; readonly value: string };

/** Of an attribute's key, and of that key with each kind of value that may be meant. */
export interface AttributeHashes {
  readonly keyBytes: number;
  readonly keyHash: number;
  readonly pairHashes: readonly number[];
}

/**
 * Those of a filter, by how much they tell and how little it costs to know them of a span. None,
 * when any span might match: such a filter has to be tried on every span.
 */
export function filterKeys(filter: SpanFilter): FilterKey[] {
  const keys = filter.flatMap((condition) => keyOf(condition) ?? []);
  const ranked = KEYS_BY_RANK.map((on) => keys.find((key) => key.on === on));
  return ranked.filter((key) => key !== undefined);
}

const KEYS_BY_RANK = ["trace_id", "name", "attribute", "service"] as const;

function keyOf(condition: SpanCondition): FilterKey | undefined {
  const { on } = condition;
  if (on === "trace_id") return { on, tail: tailOf(condition.value) };
  if (on === "name") return { on, hash: hashOf(condition.value) };
  if (on === "service") return { on, value: condition.value };
  return on === "attribute" ? { on, ...hashesOf(condition) } : undefined;
}

function hashesOf({ key, value }: { key: string; value: string }): AttributeHashes {
  const keyHash = hashOf(key);
  const pair = pairHash(keyHash, hashOf(value));
  const pairHashes = meansMoreThanText(value) ? [pair, otherHash(keyHash)] : [pair];
  return { keyBytes: Buffer.byteLength(key), keyHash, pairHashes };
}

/** The same for filters of the same conditions in the same order, and for no others. */
export function filterText(filter: SpanFilter): string {
  return JSON.stringify(filter, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

/** Of an attribute whose value is a text. */
export function pairHash(keyHash: number, valueHash: number): number {
  return (Math.imul(keyHash, 0x9e3779b1) ^ valueHash) >>> 0;
}

/** Of one whose value is anything else: numbers are written in too many ways to be hashed. */
export function otherHash(keyHash: number): number {
  return pairHash(keyHash, 0x5bd1e995);
}

/** Last four bytes of the trace id that a filter asks for, little endian. */
export function wantedTraceTail(filter: SpanFilter): number | undefined {
  for (const condition of filter) {
    if (condition.on === "trace_id") return tailOf(condition.value);
  }
  return undefined;
}

function tailOf(traceId: string): number {
  return traceTail(Uint8Array.fromHex(traceId), 0);
}

/** The same of a trace id that lies at `at`. SDKs draw these bytes at random, all of them. */
export function traceTail(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at + TRACE_ID_BYTES - 4);
}

/**
 * Of the bytes of a name, or of another text: 32 bits of its length, and of four bytes each from
 * its beginning, its middle and its end. Names that only differ between are told apart by whoever
 * looks at all of them; the bet is that there are few, and what it wins is a hash of any name in
 * the time of three loads.
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
