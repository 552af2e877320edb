import { uint32At } from "../../domain/wire/scalars.ts";

/**
 * Maps spans to small numbers, the services that emitted them: a hash table of fixed size in one
 * buffer, so that a million spans cost no object each.
 *
 *   entry    0      1      2      3
 *          [ id ] [    ] [ id ] [    ]    two words of the span id, the last word of the trace id
 *          [ 3  ] [ 0  ] [ 1  ] [ 0  ]    owner; 0 is an empty entry
 *
 * Invariant: at most half of the entries are in use, so that a search soon meets an empty one.
 */
export interface SpanOwners {
  /** All memory of the table, to be released after use. */
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly mask: number;
  readonly keys: Uint32Array;
  readonly owners: Uint32Array;
}

const KEY_WORDS = 3;
const ENTRY_BYTES = (KEY_WORDS + 1) * Uint32Array.BYTES_PER_ELEMENT;

/** The result for a span that is not in the table. */
export const NO_OWNER = 0;

/** Returns the bytes of a table for so many spans. */
export function ownersBytes(spanCount: number): number {
  return entriesFor(spanCount) * ENTRY_BYTES;
}

function entriesFor(spanCount: number): number {
  return 2 ** (Math.ceil(Math.log2(Math.max(1, spanCount))) + 1);
}

export function createOwners(spanCount: number): SpanOwners {
  const entries = entriesFor(spanCount);
  const buffer = new ArrayBuffer(entries * ENTRY_BYTES);
  const keys = new Uint32Array(buffer, 0, entries * KEY_WORDS);
  const owners = new Uint32Array(buffer, keys.byteLength, entries);
  return { memory: new Uint8Array(buffer), mask: entries - 1, keys, owners };
}

/** Identifies a span by the offsets of its identifiers: its id, and the tail of its trace id. */
export interface SpanKey {
  readonly bytes: Uint8Array;
  readonly spanIdAt: number;
  readonly traceTail: number;
}

/** Sets the owner of a span; that of the first span with this key stays. */
export function setOwner(table: SpanOwners, key: SpanKey, owner: number): void {
  const { keys, owners } = table;
  const entry = entryOf(table, key);
  if (owners[entry] !== NO_OWNER) return;
  keys[entry * KEY_WORDS] = uint32At(key.bytes, key.spanIdAt);
  keys[entry * KEY_WORDS + 1] = uint32At(key.bytes, key.spanIdAt + 4);
  keys[entry * KEY_WORDS + 2] = key.traceTail;
  owners[entry] = owner;
}

export function ownerOf(table: SpanOwners, key: SpanKey): number {
  return table.owners[entryOf(table, key)]!;
}

/** Returns the entry of a span, or the empty one where it belongs. */
function entryOf({ mask, keys, owners }: SpanOwners, key: SpanKey): number {
  const { bytes, spanIdAt, traceTail } = key;
  const low = uint32At(bytes, spanIdAt);
  const high = uint32At(bytes, spanIdAt + 4);
  let entry = mixed(low, high, traceTail) & mask;
  while (owners[entry] !== NO_OWNER) {
    const at = entry * KEY_WORDS;
    if (keys[at] === low && keys[at + 1] === high && keys[at + 2] === traceTail) break;
    entry = (entry + 1) & mask;
  }
  return entry;
}

/** Mixes all bits, because some senders count their spans instead of choosing random ids. */
function mixed(low: number, high: number, tail: number): number {
  let hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b) ^ Math.imul(tail, 0xc2b2ae35), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
