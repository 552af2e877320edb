import { expect, test } from "bun:test";
import { leaseOldest } from "../../../src/application/ring/ring-lease.ts";
import {
  BUFFERED_SPANS,
  createRingMemory,
  FIRST_FREE,
  FIRST_SEQUENCE,
  GONE,
  LEASED,
  MAX_ARENA_BYTES,
  NEXT_SEQUENCE,
  openRingMemory,
  type RingMemory,
  MAX_NAME_BYTES,
  MAX_SERVICES,
  nameOf,
  openServiceTable,
  OTHER_SERVICES,
  SERVICE_TABLE_BYTES,
  serviceRow,
  type ServiceTable,
} from "../../../src/application/ring/ring-memory.ts";
import { AssertionError } from "../../../src/domain/assert.ts";
import { assertInvariants } from "../../support/oracles/ring-invariants.ts";
import { ringOf } from "../../support/running/filled-ring.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

type Column = Int32Array | Uint32Array | Float64Array | Uint8Array;

function columnsOf(ring: RingMemory): [string, Column][] {
  return Object.entries({ ...ring, ...ring.services }).filter((entry): entry is [string, Column] =>
    ArrayBuffer.isView(entry[1]),
  );
}

const capacities = [
  { spans: 1, bytes: 1 },
  { spans: 2, bytes: 4096 },
  { spans: 3, bytes: 999 },
  { spans: 1_000, bytes: 65_537 },
  { spans: 4_097, bytes: 1 << 20 },
];

test.each(capacities)(
  "no columns overlap in a ring of $spans spans and $bytes bytes",
  (capacity) => {
    const ring = createRingMemory(capacity);

    const inOrder = columnsOf(ring).toSorted(([, a], [, b]) => a.byteOffset - b.byteOffset);

    const overlaps = inOrder.filter(([, column], index) => {
      const next = inOrder[index + 1]?.[1].byteOffset ?? ring.shared.byteLength;
      return column.byteOffset + column.byteLength > next;
    });
    expect(overlaps.map(([name]) => name)).toEqual([]);
    expect(inOrder.at(-1)![0]).toBe("arena");
    expect(ring.arena.byteOffset + ring.arena.length).toBe(ring.shared.byteLength);
  },
);

test.each(capacities)(
  "every column of a ring of $spans spans has a row for each",
  ({ spans, bytes }) => {
    const ring = createRingMemory({ spans, bytes });
    const { lock, arena } = ring;

    const lengths = columnsOf(ring)
      .filter(
        ([name]) => !["lock", "control", "arena", ...Object.keys(ring.services)].includes(name),
      )
      .map(([, column]) => column.length);

    expect(lengths).toEqual(Array(18).fill(spans));
    expect(arena).toHaveLength(bytes);
    expect(lock).toHaveLength(1);
  },
);

test("a write to one column does not change another", () => {
  const ring = createRingMemory({ spans: 5, bytes: 64 });
  const columns = columnsOf(ring);

  for (const [index, [, column]] of columns.entries()) column.fill(index + 1);

  expect(columns.map(([, column]) => new Set<number>(column))).toEqual(
    columns.map((_, index) => new Set([index + 1])),
  );
});

test("the lock has a cache line of its own, and the arena begins on a page", () => {
  const ring = createRingMemory({ spans: 77, bytes: 100 });

  const others = columnsOf(ring).filter(([name]) => name !== "lock");

  expect(ring.lock.byteOffset).toBe(0);
  expect(Math.min(...others.map(([, column]) => column.byteOffset))).toBeGreaterThanOrEqual(64);
  expect(ring.arena.byteOffset % 4096).toBe(0);
});

test("a new ring is empty, and its first sequence will be 1", () => {
  const ring = createRingMemory({ spans: 9, bytes: 50 });

  expect(ring).toMatchObject({ capacitySpans: 9, capacityBytes: 50 });
  expect([ring.control[FIRST_SEQUENCE], ring.control[NEXT_SEQUENCE]]).toEqual([1, 1]);
  expect(new Set(ring.control.subarray(NEXT_SEQUENCE + 1))).toEqual(new Set([0]));
});

test("an opened ring shares the memory of the original", () => {
  const ring = createRingMemory({ spans: 6, bytes: 100 });
  for (const [index, [, column]] of columnsOf(ring).slice(2).entries()) column.fill(index + 7);

  const opened = openRingMemory(ring.shared);
  opened.arena[99] = 42;

  expect(opened).toEqual(ring);
  expect(ring.arena[99]).toBe(42);
});

test("in the largest arena every offset, including the end, fits into 32 bits", () => {
  expect(MAX_ARENA_BYTES).toBe(0xffff_ffff);
});

test.each([
  { name: "zero spans", capacity: { spans: 0, bytes: 100 } },
  { name: "zero bytes", capacity: { spans: 1, bytes: 0 } },
  { name: "a negative number of bytes", capacity: { spans: 1, bytes: -1 } },
  { name: "more than 4 GiB", capacity: { spans: 1, bytes: MAX_ARENA_BYTES + 1 } },
  { name: "half a span", capacity: { spans: 1.5, bytes: 100 } },
  { name: "half a byte", capacity: { spans: 1, bytes: 99.5 } },
  { name: "NaN spans", capacity: { spans: Number.NaN, bytes: 100 } },
])("a ring of $name cannot be created", ({ capacity }) => {
  expect(() => createRingMemory(capacity)).toThrow(AssertionError);
});

// Goal: each invariant that the tests of the ring assert after a change can fail.
// Method: a ring of two requests and one leased span, in which one number is changed.
test.each<{ name: string; change: (ring: RingMemory) => void }>([
  { name: "1 <= first sequence <= next", change: (ring) => (ring.control[FIRST_SEQUENCE] = 0) },
  { name: "used slots <= capacity", change: (ring) => (ring.control[NEXT_SEQUENCE] = 20) },
  { name: "bound of free spans is no", change: (ring) => (ring.control[FIRST_FREE] = 99) },
  { name: "no span before the bound is", change: (ring) => (ring.control[FIRST_FREE] = 3) },
  { name: "slot that is not in use", change: (ring) => (ring.slotState[7] = LEASED) },
  { name: "one of three states", change: (ring) => (ring.slotState[2] = 3) },
  { name: "first span of the ring", change: (ring) => (ring.slotState[1] = GONE) },
  { name: "span lies in its ScopeSpans", change: (ring) => (ring.slotOffset[2] = 0) },
  { name: "ScopeSpans lies in its", change: (ring) => (ring.scopeOffset[0] = 0) },
  { name: "ResourceSpans lies in its block", change: (ring) => (ring.blockLength[0] = 9) },
  { name: "lies in the arena", change: (ring) => (ring.blockLength[1] = 9_999) },
  { name: "known run of spans", change: (ring) => (ring.spansEnd[1] = 9_999) },
  { name: "one of its block's", change: (ring) => (ring.blockSpans[0] = 1) },
  { name: "tail of its span's trace", change: (ring) => (ring.slotTraceTail[3] = 1) },
  { name: "services add up", change: (ring) => (ring.services.ledgers[17] = 9) },
  { name: "accepted = buffered", change: (ring) => (ring.control[BUFFERED_SPANS] = 9) },
])("the invariants detect a ring that violates: $name", ({ name, change }) => {
  const ring = ringOf({ spans: 10, bytes: 1_000 }, requestOf(3), requestOf(2, 4));
  leaseOldest(ring, { spans: 1, bytes: 100 });
  expect(() => assertInvariants(ring)).not.toThrow();

  change(ring);

  expect(() => assertInvariants(ring)).toThrow(name);
});

function createTable(): ServiceTable {
  return openServiceTable(new SharedArrayBuffer(64 + SERVICE_TABLE_BYTES), 64);
}

function rowOf(table: ServiceTable, name: string): number {
  return serviceRow(table, Buffer.from(name));
}

test("a service keeps its row, and each service has its own", () => {
  const table = createTable();

  const rows = ["shop", "cart", "shop", "", "cart"].map((name) => rowOf(table, name));

  expect(rows).toEqual([1, 2, 1, 3, 2]);
});

test("a row has the name of its service, whichever characters it contains", () => {
  const table = createTable();
  const names = ["shop", "", "Ωmega ✓", "a\u0000b", "\uFEFFshop"];

  const rows = names.map((name) => rowOf(table, name));

  expect(rows.map((row) => nameOf(table, row))).toEqual(names);
});

test("services share one row when all others have a name", () => {
  const table = createTable();
  for (let number = 1; number <= MAX_SERVICES; number += 1) rowOf(table, `service ${number}`);

  const late = [rowOf(table, "one more"), rowOf(table, "and another")];

  expect(late).toEqual([OTHER_SERVICES, OTHER_SERVICES]);
  expect(rowOf(table, "service 1")).toBe(1);
  expect(rowOf(table, `service ${MAX_SERVICES}`)).toBe(MAX_SERVICES);
});

test("long names are compared by their first bytes", () => {
  const table = createTable();
  const long = "x".repeat(MAX_NAME_BYTES);

  const rows = [long, `${long}y`, long.slice(1)].map((name) => rowOf(table, name));

  expect(rows).toEqual([1, 1, 2]);
  expect(nameOf(table, 1)).toBe(long);
});

test("another view of the memory has the same services", () => {
  const shared = new SharedArrayBuffer(SERVICE_TABLE_BYTES);
  const [one, other] = [openServiceTable(shared, 0), openServiceTable(shared, 0)];

  const rows = [rowOf(one, "shop"), rowOf(other, "cart"), rowOf(one, "cart"), rowOf(other, "shop")];

  expect(rows).toEqual([1, 2, 2, 1]);
});

// Names with colliding hashes use the next free position and wrap around the end of the index.
test("ten thousand look-ups of a thousand names agree with a map", () => {
  const table = createTable();
  const map = new Map<string, number>();

  for (let turn = 0; turn < 10_000; turn += 1) {
    const name = `n${(turn * 7919) % 1000}`;
    const row = rowOf(table, name);
    expect(row).toBe(map.get(name) ?? map.size + 1);
    map.set(name, row);
  }
});
