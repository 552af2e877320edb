import { expect, test } from "bun:test";
import {
  MAX_NAME_BYTES,
  MAX_SERVICES,
  nameOf,
  openServiceTable,
  OTHER_SERVICES,
  SERVICE_TABLE_BYTES,
  serviceRow,
  type ServiceTable,
} from "../../../src/application/ring/service-table.ts";

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

test("the name of a row is that of its service, whatever characters it has", () => {
  const table = createTable();
  const names = ["shop", "", "Ωmega ✓", "a\u0000b", "\uFEFFshop"];

  const rows = names.map((name) => rowOf(table, name));

  expect(rows.map((row) => nameOf(table, row))).toEqual(names);
});

test("when all rows have a name, the rest share one", () => {
  const table = createTable();
  for (let number = 1; number <= MAX_SERVICES; number += 1) rowOf(table, `service ${number}`);

  const late = [rowOf(table, "one more"), rowOf(table, "and another")];

  expect(late).toEqual([OTHER_SERVICES, OTHER_SERVICES]);
  expect(rowOf(table, "service 1")).toBe(1);
  expect(rowOf(table, `service ${MAX_SERVICES}`)).toBe(MAX_SERVICES);
});

test("a long name is known by its beginning", () => {
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

// Names whose hashes end alike go to the next free place, round the end of the index.
test("ten thousand look-ups of a thousand names find what a map finds", () => {
  const table = createTable();
  const map = new Map<string, number>();

  for (let turn = 0; turn < 10_000; turn += 1) {
    const name = `n${(turn * 7919) % 1000}`;
    const row = rowOf(table, name);
    expect(row).toBe(map.get(name) ?? map.size + 1);
    map.set(name, row);
  }
});
