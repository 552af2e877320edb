import { expect, test } from "bun:test";
import {
  createOwners,
  NO_OWNER,
  ownerOf,
  ownersBytes,
  setOwner,
  type SpanKey,
} from "../../../src/application/querying/span-owners.ts";

function keyOf(id: bigint, traceTail = 7): SpanKey {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setBigUint64(3, id);
  return { bytes, spanIdAt: 3, traceTail };
}

test("every span of a full table has its own owner, whatever the pattern of its ids", () => {
  const ids = Array.from({ length: 1_000 }, (_, index) => [
    BigInt(index + 1),
    BigInt(index + 1) << 32n,
    BigInt(index + 1) * 0x1_0000_0001n + (1n << 63n),
  ]).flat();
  const table = createOwners(ids.length);

  ids.forEach((id, index) => setOwner(table, keyOf(id), index + 1));

  expect(ids.map((id) => ownerOf(table, keyOf(id)))).toEqual(ids.map((_, index) => index + 1));
});

test("a span of another trace, or with another id, has no owner", () => {
  const table = createOwners(1);
  setOwner(table, keyOf(5n), 3);

  expect(ownerOf(table, keyOf(5n))).toBe(3);
  expect(ownerOf(table, keyOf(5n, 8))).toBe(NO_OWNER);
  expect(ownerOf(table, keyOf(6n))).toBe(NO_OWNER);
  expect(ownerOf(table, keyOf(5n << 32n))).toBe(NO_OWNER);
});

test("the first owner of a span stays", () => {
  const table = createOwners(2);

  setOwner(table, keyOf(5n), 3);
  setOwner(table, keyOf(5n), 4);

  expect(ownerOf(table, keyOf(5n))).toBe(3);
});

test.each([0, 1, 2, 3, 1_000, 1_024, 1_025])(
  "a table for %d spans is at most half full, and as large as announced",
  (spanCount) => {
    const table = createOwners(spanCount);

    expect(table.owners.length).toBeGreaterThanOrEqual(2 * spanCount);
    expect(table.owners.length).toBeLessThanOrEqual(Math.max(2, 4 * spanCount));
    expect(table.memory.length).toBe(ownersBytes(spanCount));
  },
);
