import { TRACE_ID_BYTES } from "../span-validity.ts";
import { uint32At } from "../wire/scalar-bytes.ts";
import type { SpanFilter } from "./span-filter.ts";

/**
 * The one equality that tells most about whether a span can match a filter, so that of many filters
 * only those are tried on a span that a look-up by its own keys finds. Those with the same key may
 * still differ: a hash and a tail are shared by others, rarely.
 */
export type FilterKey =
  | { readonly on: "trace_id"; readonly tail: number }
  | { readonly on: "name"; readonly hash: number }
  | { readonly on: "service"; readonly value: string };

/** Nothing, when any span might match: such a filter has to be tried on every span. */
export function filterKey(filter: SpanFilter): FilterKey | undefined {
  const tail = wantedTraceTail(filter);
  if (tail !== undefined) return { on: "trace_id", tail };
  const name = wantedText(filter, "name");
  if (name !== undefined) return { on: "name", hash: hashOf(name) };
  const service = wantedText(filter, "service");
  return service === undefined ? undefined : { on: "service", value: service };
}

/** Last four bytes of the trace id that a filter asks for, little endian. */
export function wantedTraceTail(filter: SpanFilter): number | undefined {
  for (const condition of filter) {
    if (condition.on === "trace_id") return traceTail(Uint8Array.fromHex(condition.value), 0);
  }
  return undefined;
}

/** The same of a trace id that lies at `at`. SDKs draw these bytes at random, all of them. */
export function traceTail(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at + TRACE_ID_BYTES - 4);
}

/**
 * Of a name's bytes: 32 bits of its length, and of four bytes each from its beginning, its middle
 * and its end. Names that only differ between are told apart by whoever looks at all of them; the
 * bet is that there are few, and what it wins is a hash of any name in the time of three loads.
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

function wantedText(filter: SpanFilter, on: "name" | "service"): string | undefined {
  for (const condition of filter) {
    if (condition.on === on) return condition.value;
  }
  return undefined;
}
