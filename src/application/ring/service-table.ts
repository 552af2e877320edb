/**
 * All services ever seen, found by name, in shared memory of a fixed size.
 *
 *   count    of the rows in use
 *   index    a hash table of names: each entry is a row, or 0 when it is free
 *   names    256 bytes a row
 *   ledgers    the ledger of each row, and when it was last seen
 *
 * Row 0 collects all services that come when the other rows are taken, so a peer that invents
 * services costs no more than this table. A row is never freed, because its ledger covers the whole
 * run.
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

/** Longer names are cut, and share the row of their beginning. */
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
