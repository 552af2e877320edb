import { assert } from "../../domain/assert.ts";

/**
 * The memory of the ring: one `SharedArrayBuffer` with a fixed layout, so that all threads that get
 * it see the same ring. Pages that were never written take up no memory.
 *
 *   lock      one word
 *   control   capacities, sequences and the ledger: whole numbers below 2^53
 *   slots     a row per span:    where its bytes lie, its context, its trace's tail, its state
 *   contexts  a row per (resource, scope) of a block: where their bodies lie, block and service
 *   blocks    a row per block:   where its bytes lie, its first span's sequence, its arrival
 *   services  a row per service: its name, and its part of the ledger
 *   arena     the bytes
 *
 * The slot of a span is its sequence modulo the capacity. Rows of contexts and blocks wrap around
 * in the same way. There are as many of them as slots, because each has at least one span. Offsets
 * are relative to the arena.
 */
export interface RingMemory {
  readonly shared: SharedArrayBuffer;
  readonly capacitySpans: number;
  readonly capacityBytes: number;
  readonly lock: Int32Array;
  readonly control: Float64Array;
  readonly slotOffset: Uint32Array;
  readonly slotLength: Uint32Array;
  readonly slotContext: Uint32Array;
  readonly slotTraceTail: Uint32Array;
  /** `FREE`, `LEASED` or `GONE`; `FREE` for a slot that is not in use. */
  readonly slotState: Uint8Array;
  readonly contextBlock: Uint32Array;
  readonly contextService: Uint32Array;
  readonly resourceOffset: Uint32Array;
  readonly resourceLength: Uint32Array;
  readonly scopeOffset: Uint32Array;
  readonly scopeLength: Uint32Array;
  readonly spansStart: Uint32Array;
  readonly spansEnd: Uint32Array;
  readonly blockFirstSequence: Float64Array;
  readonly blockUnixMs: Float64Array;
  readonly blockSpans: Uint32Array;
  readonly blockOffset: Uint32Array;
  readonly blockLength: Uint32Array;
  readonly services: ServiceTable;
  readonly arena: Uint8Array<SharedArrayBuffer>;

  // Set once, for this thread only: what keeps spans that leave to make room.
  spill: Spill | undefined;
}

/** Free spans of one service and one request that have left the ring to make room. */
export interface SpilledRun {
  /** The sequence of the first one. */
  readonly sequence: number;
  readonly service: number;
  readonly spans: number;
  readonly bytes: number;
}

/**
 * Returns whether these spans stay buffered elsewhere; if not, they are evicted. It is called with
 * the lock, so it must not use the ring.
 */
export type Spill = (run: SpilledRun) => boolean;

/** Indexes in `control`. Each ledger entry is a number of spans, followed by a number of bytes. */
const CAPACITY_SPANS = 0;
const CAPACITY_BYTES = 1;
export const FIRST_SEQUENCE = 2;
export const NEXT_SEQUENCE = 3;
/** A lower bound: no span before it is free, but the span itself need not be free. */
export const FIRST_FREE = 4;
export const BUFFERED_SPANS = 5;
export const BUFFERED_BYTES = 6;
export const RECEIVED = 7;
export const REJECTED = 9;
export const ACCEPTED = 11;
export const TAKEN = 13;
export const DELIVERED = 15;
export const EVICTED = 17;
export const UNDELIVERABLE = 19;
const CONTROL_ENTRIES = 21;

/**
 * The states of a slot: its span is free; leased; or gone while an older span is still buffered.
 */
export const FREE = 0;
export const LEASED = 1;
export const GONE = 2;

/** Offsets, including the end of the arena, are unsigned 32-bit numbers. */
export const MAX_ARENA_BYTES = 2 ** 32 - 1;

const PAGE_BYTES = 4096;
/** Leaves the lock a cache line of its own. */
const CONTROL_AT = 64;
const SLOTS_AT = PAGE_BYTES;
const DOUBLE_COLUMNS = 2;
const WORD_COLUMNS = 15;

interface RingCapacity {
  readonly spans: number;
  readonly bytes: number;
}

/** Returns the bytes that a ring of this capacity takes once it is full. */
export function ringBytes(capacity: RingCapacity): number {
  return arenaAt(capacity.spans) + capacity.bytes;
}

export function createRingMemory(capacity: RingCapacity): RingMemory {
  assert(Number.isInteger(capacity.spans) && capacity.spans > 0, "a ring holds at least one span");
  assert(Number.isInteger(capacity.bytes) && capacity.bytes > 0, "an arena holds bytes");
  assert(capacity.bytes <= MAX_ARENA_BYTES, "the arena has 32-bit offsets");
  const shared = new SharedArrayBuffer(ringBytes(capacity));
  const control = new Float64Array(shared, CONTROL_AT, CONTROL_ENTRIES);
  control[CAPACITY_SPANS] = capacity.spans;
  control[CAPACITY_BYTES] = capacity.bytes;
  control[FIRST_SEQUENCE] = control[NEXT_SEQUENCE] = 1;
  return openRingMemory(shared);
}

/** Opens the memory of a ring that another thread created. */
export function openRingMemory(shared: SharedArrayBuffer): RingMemory {
  const control = new Float64Array(shared, CONTROL_AT, CONTROL_ENTRIES);
  const rows = control[CAPACITY_SPANS]!;
  const word = (column: number) => new Uint32Array(shared, wordColumnAt(rows, column), rows);
  return {
    shared,
    capacitySpans: rows,
    capacityBytes: control[CAPACITY_BYTES]!,
    lock: new Int32Array(shared, 0, 1),
    control,
    blockFirstSequence: new Float64Array(shared, doubleColumnAt(rows, 0), rows),
    blockUnixMs: new Float64Array(shared, doubleColumnAt(rows, 1), rows),
    slotOffset: word(0),
    slotLength: word(1),
    slotContext: word(2),
    contextBlock: word(3),
    resourceOffset: word(4),
    resourceLength: word(5),
    scopeOffset: word(6),
    scopeLength: word(7),
    spansStart: word(8),
    spansEnd: word(9),
    blockSpans: word(10),
    blockOffset: word(11),
    blockLength: word(12),
    slotTraceTail: word(13),
    contextService: word(14),
    slotState: new Uint8Array(shared, wordColumnAt(rows, WORD_COLUMNS), rows),
    services: openServiceTable(shared, servicesAt(rows)),
    arena: new Uint8Array(shared, arenaAt(rows), control[CAPACITY_BYTES]!),
    spill: undefined,
  };
}

/** Returns the offset of a column of doubles. These come first, so that each is aligned. */
function doubleColumnAt(rows: number, column: number): number {
  return SLOTS_AT + rows * column * Float64Array.BYTES_PER_ELEMENT;
}

function wordColumnAt(rows: number, column: number): number {
  return doubleColumnAt(rows, DOUBLE_COLUMNS) + rows * column * Uint32Array.BYTES_PER_ELEMENT;
}

function servicesAt(rows: number): number {
  return Math.ceil((wordColumnAt(rows, WORD_COLUMNS) + rows) / PAGE_BYTES) * PAGE_BYTES;
}

function arenaAt(rows: number): number {
  return servicesAt(rows) + Math.ceil(SERVICE_TABLE_BYTES / PAGE_BYTES) * PAGE_BYTES;
}

/**
 * All services ever seen, indexed by name, in shared memory of a fixed size.
 *
 *   count    of the rows in use
 *   index    a hash table of names: each entry is a row, or 0 when it is free
 *   names    256 bytes a row
 *   ledgers    the ledger of each row, and when it was last seen
 *
 * Row 0 collects all services that arrive once the other rows are taken, so a peer that invents
 * services costs no more than this table. Rows are never freed, because their ledgers cover the
 * whole run.
 */
export interface ServiceTable {
  /** One word: the rows with a name are 1 to `count[0]`. */
  readonly count: Uint32Array;
  readonly index: Uint32Array;
  readonly names: Uint8Array;
  readonly nameLength: Uint32Array;
  /** `LEDGER_ENTRIES` numbers a row. */
  readonly ledgers: Float64Array;
}

export const MAX_SERVICES = 1024;
export const OTHER_SERVICES = 0;

/** Longer names are truncated, and share the row of their first bytes. */
export const MAX_NAME_BYTES = 256;

/** The entries of the ledger, each in spans and in bytes, and the time when it was last seen. */
export const LEDGER_ENTRIES = 17;

const ROWS = MAX_SERVICES + 1;
/** Twice the rows, so that the index is at most half full and a search is short. */
const INDEX_ENTRIES = 2 * MAX_SERVICES;
const { BYTES_PER_ELEMENT: WORD_BYTES } = Uint32Array;

const BOOKS_BYTES = ROWS * LEDGER_ENTRIES * Float64Array.BYTES_PER_ELEMENT;
const WORDS = 1 + INDEX_ENTRIES + ROWS;

export const SERVICE_TABLE_BYTES: number = BOOKS_BYTES + WORDS * WORD_BYTES + ROWS * MAX_NAME_BYTES;

export function openServiceTable(shared: SharedArrayBuffer, at: number): ServiceTable {
  const words = at + BOOKS_BYTES;
  return {
    ledgers: new Float64Array(shared, at, ROWS * LEDGER_ENTRIES),
    count: new Uint32Array(shared, words, 1),
    index: new Uint32Array(shared, words + WORD_BYTES, INDEX_ENTRIES),
    nameLength: new Uint32Array(shared, words + (1 + INDEX_ENTRIES) * WORD_BYTES, ROWS),
    names: new Uint8Array(shared, words + WORDS * WORD_BYTES, ROWS * MAX_NAME_BYTES),
  };
}

/** Returns the row of a service, which it creates at first sight. Needs the ring's lock. */
export function serviceRow(table: ServiceTable, name: Uint8Array): number {
  const length = Math.min(name.length, MAX_NAME_BYTES);
  let entry = hash(name, length) % INDEX_ENTRIES;
  for (let row = table.index[entry]!; row !== 0; row = table.index[entry]!) {
    if (hasName(table, row, { name, length })) return row;
    entry = (entry + 1) % INDEX_ENTRIES;
  }
  return table.count[0] === MAX_SERVICES ? OTHER_SERVICES : addRow(table, entry, { name, length });
}

/** Decodes as filters do: a byte order mark is part of a name. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function nameOf(table: ServiceTable, row: number): string {
  const at = row * MAX_NAME_BYTES;
  return decoder.decode(table.names.slice(at, at + table.nameLength[row]!));
}

interface CutName {
  readonly name: Uint8Array;
  readonly length: number;
}

function hasName(table: ServiceTable, row: number, { name, length }: CutName): boolean {
  if (table.nameLength[row] !== length) return false;
  const at = row * MAX_NAME_BYTES;
  for (let index = 0; index < length; index += 1) {
    if (table.names[at + index] !== name[index]) return false;
  }
  return true;
}

function addRow(table: ServiceTable, entry: number, { name, length }: CutName): number {
  const row = table.count[0]! + 1;
  table.names.set(name.subarray(0, length), row * MAX_NAME_BYTES);
  table.nameLength[row] = length;
  table.index[entry] = row;
  table.count[0] = row;
  return row;
}

/** Returns the FNV-1a hash, whose low bits are as good as any. */
function hash(name: Uint8Array, length: number): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < length; index += 1) {
    value = Math.imul(value ^ name[index]!, 0x01000193);
  }
  return value >>> 0;
}
