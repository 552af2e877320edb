import { expect, test } from "bun:test";
import { leaseOldest, settle } from "../../../src/application/ring/ring-lease.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import {
  BUFFERED_SPANS,
  createRingMemory,
  EVICTED,
  RECEIVED,
  type RingMemory,
  type SpilledRun,
} from "../../../src/application/ring/ring-memory.ts";
import {
  evictBefore,
  evictOldestBlock,
  makeRoomBefore,
  oldestFree,
  oldestBuffered,
  takeBefore,
} from "../../../src/application/ring/ring-removal.ts";
import { AssertionError } from "../../../src/domain/assert.ts";
import { put, ringOf } from "../../support/running/filled-ring.ts";
import { requestOf, spanBody } from "../../support/requests/request-bytes.ts";

const ROOMY = { spans: 100, bytes: 10_000 };
const SPAN_BYTES = spanBody(1).length;

test("taken spans are counted in spans and in bytes", () => {
  const ring = ringOf(ROOMY, requestOf(3), requestOf(2, 4));

  expect(takeBefore(ring, 4)).toEqual({ spans: 3, bytes: 3 * SPAN_BYTES });

  const { spans, bytes, sequence } = readStats(ring);
  expect(spans).toMatchObject({ accepted: 5, buffered: 2, taken: 3, evicted: 0 });
  expect(bytes).toMatchObject({ buffered: 2 * SPAN_BYTES, taken: 3 * SPAN_BYTES });
  expect(sequence).toEqual({ first: 4, next: 6 });
});

test("spans may leave from the middle, and the ring begins at the first that is left", () => {
  const ring = ringOf(ROOMY, requestOf(5));
  const leased = leaseOldest(ring, { spans: 1, bytes: 1_000 })!;

  takeBefore(ring, 4);
  const inTheMiddle = readStats(ring).sequence;
  settle(ring, leased, { first: 0, end: 1 }, "delivered");

  expect(inTheMiddle).toEqual({ first: 1, next: 6 });
  expect(readStats(ring).sequence).toEqual({ first: 4, next: 6 });
});

test("spans that have left are not among the oldest and are not taken again", () => {
  const ring = ringOf(ROOMY, requestOf(6));
  leaseOldest(ring, { spans: 1, bytes: 1_000 });
  takeBefore(ring, 4);

  expect(oldestFree(ring, { spans: 2, bytes: 1_000 })).toEqual([4, 5]);
  expect(oldestBuffered(ring, 3)).toEqual([1, 4, 5]);
  expect(takeBefore(ring, 5)).toEqual({ spans: 1, bytes: SPAN_BYTES });
});

test("a returned span is among the oldest again, even after newer ones have left", () => {
  const ring = ringOf(ROOMY, requestOf(5));
  const leased = leaseOldest(ring, { spans: 2, bytes: 1_000 })!;
  takeBefore(ring, 4);

  settle(ring, leased, { first: 1, end: 2 }, "returned");

  expect(oldestFree(ring, { spans: 9, bytes: 1_000 })).toEqual([2, 4, 5]);
});

test.each<{ name: string; spans: number; bytes: number; sequences: number[] }>([
  { name: "spans", spans: 2, bytes: 1_000, sequences: [1, 2] },
  { name: "bytes", spans: 9, bytes: 3 * SPAN_BYTES, sequences: [1, 2, 3] },
  { name: "bytes, with one span at least", spans: 9, bytes: 1, sequences: [1] },
  { name: "spans, which may be zero", spans: 0, bytes: 1_000, sequences: [] },
])("the oldest free spans are limited in $name", ({ spans, bytes, sequences }) => {
  expect(oldestFree(ringOf(ROOMY, requestOf(5)), { spans, bytes })).toEqual(sequences);
});

test("taking no span changes nothing", () => {
  const ring = ringOf(ROOMY, requestOf(3));
  const before = readStats(ring);

  expect(takeBefore(ring, 1)).toEqual({ spans: 0, bytes: 0 });
  expect(readStats(ring)).toEqual(before);
});

test("a span that has left can neither be taken nor evicted", () => {
  const ring = ringOf(ROOMY, requestOf(3));

  expect(() => takeBefore(ring, 5)).toThrow(AssertionError);
  expect(() => evictBefore(ring, 5)).toThrow(AssertionError);
});

test("spans that make room are counted as evicted only if they are not kept elsewhere", () => {
  const ring = ringOf(ROOMY, requestOf(3), requestOf(2, 4));
  const leased = leaseOldest(ring, { spans: 1, bytes: 1_000 })!;
  const runs: SpilledRun[] = [];
  ring.spill = (run) => runs.push(run) > 1;

  makeRoomBefore(ring, 6);
  settle(ring, leased, { first: 0, end: 1 }, "returned");

  const service = leased.services[0]!;
  expect(runs).toEqual([
    { sequence: 2, service, spans: 2, bytes: 2 * SPAN_BYTES },
    { sequence: 4, service, spans: 2, bytes: 2 * SPAN_BYTES },
    { sequence: 1, service, spans: 1, bytes: SPAN_BYTES },
  ]);
  expect(readStats(ring).spans).toMatchObject({ accepted: 5, buffered: 3, evicted: 2 });
});

test("evicting the oldest block evicts its remaining spans only", () => {
  const ring = ringOf(ROOMY, requestOf(3), requestOf(2, 4));
  takeBefore(ring, 2);

  evictOldestBlock(ring);

  expect(readStats(ring).spans).toMatchObject({ buffered: 2, taken: 1, evicted: 2 });
});

test("an empty ring has no oldest block", () => {
  expect(() => evictOldestBlock(createRingMemory(ROOMY))).toThrow(AssertionError);
});

// The ledger is checked at each change, so that foreign writes to the memory are found at once.
test.each<{ name: string; damage: (ring: RingMemory) => void }>([
  { name: "an entry of the ledger in spans", damage: (ring) => (ring.control[RECEIVED]! += 1) },
  { name: "an entry of the ledger in bytes", damage: (ring) => (ring.control[EVICTED + 1]! += 1) },
  { name: "the number of buffered spans", damage: (ring) => (ring.control[BUFFERED_SPANS]! += 1) },
])("damage to $name is found by the next removal or append", ({ damage }) => {
  const ring = ringOf(ROOMY, requestOf(3));

  damage(ring);

  expect(() => takeBefore(ring, 2)).toThrow(AssertionError);
  expect(() => put(ring, requestOf(1))).toThrow(AssertionError);
});
