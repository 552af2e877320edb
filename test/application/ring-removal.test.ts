import { expect, test } from "bun:test";
import { readStats } from "../../src/application/ring-ledger.ts";
import {
  createRingMemory,
  EVICTED,
  FIRST_SEQUENCE,
  RECEIVED,
  type RingMemory,
  TAKEN,
} from "../../src/application/ring-memory.ts";
import { evictOldestBlock, removeOldest } from "../../src/application/ring-removal.ts";
import { AssertionError } from "../../src/domain/assert.ts";
import { put, ringOf } from "../support/filled-ring.ts";
import { requestOf, spanBody } from "../support/request-bytes.ts";

const roomy = { spans: 100, bytes: 10_000 };
const spanBytes = spanBody(1).length;

test("what is removed is booked in spans and in bytes, as taken or as evicted", () => {
  const ring = ringOf(roomy, requestOf(3), requestOf(2, 4));

  expect(removeOldest(ring, 2, TAKEN)).toEqual({ spans: 2, bytes: 2 * spanBytes });
  expect(removeOldest(ring, 1, EVICTED)).toEqual({ spans: 1, bytes: spanBytes });

  const { spans, bytes, sequence } = readStats(ring);
  expect(spans).toMatchObject({ accepted: 5, buffered: 2, taken: 2, evicted: 1 });
  expect(bytes).toMatchObject({ buffered: 2 * spanBytes, taken: 2 * spanBytes });
  expect(sequence).toEqual({ first: 4, next: 6 });
});

test("nothing removed is nothing changed", () => {
  const ring = ringOf(roomy, requestOf(3));
  const before = readStats(ring);

  expect(removeOldest(ring, 0, TAKEN)).toEqual({ spans: 0, bytes: 0 });
  expect(readStats(ring)).toEqual(before);
});

test.each([
  { name: "more than there are", spanCount: 4 },
  { name: "less than none", spanCount: -1 },
  { name: "half a span", spanCount: 0.5 },
  { name: "no number", spanCount: Number.NaN },
])("to remove $name is a fault of the caller's, and changes nothing", ({ spanCount }) => {
  const ring = ringOf(roomy, requestOf(3));
  const before = readStats(ring);

  expect(() => removeOldest(ring, spanCount, TAKEN)).toThrow(AssertionError);
  expect(readStats(ring)).toEqual(before);
});

test("the oldest block is evicted with what is left of it, and no more", () => {
  const ring = ringOf(roomy, requestOf(3), requestOf(2, 4));
  removeOldest(ring, 1, TAKEN);

  evictOldestBlock(ring);

  expect(readStats(ring).spans).toMatchObject({ buffered: 2, taken: 1, evicted: 2 });
});

test("an empty ring has no oldest block", () => {
  expect(() => evictOldestBlock(createRingMemory(roomy))).toThrow(AssertionError);
});

// Each change is audited: memory that was written to by something else is found at once.
test.each<{ name: string; damage: (ring: RingMemory) => void }>([
  { name: "a book in spans", damage: (ring) => (ring.control[RECEIVED]! += 1) },
  { name: "a book in bytes", damage: (ring) => (ring.control[EVICTED + 1]! += 1) },
  { name: "the first sequence", damage: (ring) => (ring.control[FIRST_SEQUENCE]! -= 1) },
])("damage to $name is found by the next removal, and by the next append", ({ damage }) => {
  const ring = ringOf(roomy, requestOf(3));

  damage(ring);

  expect(() => removeOldest(ring, 1, TAKEN)).toThrow(AssertionError);
  expect(() => put(ring, requestOf(1))).toThrow(AssertionError);
});
