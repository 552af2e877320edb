import { expect, test } from "bun:test";
import { isFull, usedBytes } from "../../../src/application/ring/ring-append.ts";
import { takeOldest } from "../../../src/application/ring/ring-hand-over.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import { createRingMemory, type RingMemory } from "../../../src/application/ring/ring-memory.ts";
import { joined, put, rejectedOf, ringOf } from "../../support/running/filled-ring.ts";
import {
  request,
  requestOf,
  span,
  spanBody,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import { ledgerOf } from "../../support/oracles/ledger-of.ts";

/** The length of a request of one span whose number has one digit. */
const BLOCK = requestOf(1).length;
const one = (number: number) => requestOf(1, number);
const spanBytes = spanBody(1).length;

const ACCEPTED = { outcome: "accepted", evictedSpans: 0 } as const;
const evicting = (evictedSpans: number) => ({ outcome: "accepted", evictedSpans }) as const;

/** Returns the offset of each buffered span's block in the arena, oldest first. */
function offsets(ring: RingMemory): number[] {
  const { first, next } = readStats(ring).sequence;
  return Array.from({ length: next - first }, (_, index) => {
    const slot = (first + index) % ring.capacitySpans;
    return ring.blockOffset[ring.contextBlock[ring.slotContext[slot]!]!]!;
  });
}

function contents(ring: RingMemory): string {
  return takeOldest(ring, readStats(ring).spans.buffered).request.toHex();
}

test("blocks follow one another up to the end of the arena", () => {
  const ring = createRingMemory({ spans: 10, bytes: 3 * BLOCK });

  const outcomes = [1, 2, 3].map((number) => put(ring, one(number)));

  expect(outcomes).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
  expect(offsets(ring)).toEqual([0, BLOCK, 2 * BLOCK]);
  expect(contents(ring)).toBe(joined(one(1), one(2), one(3)).toHex());
});

test("used bytes are the blocks and the gaps between, from oldest to newest", () => {
  const ring = createRingMemory({ spans: 10, bytes: 3 * BLOCK + 5 });
  const used = [usedBytes(ring)];

  for (const number of [1, 2, 3, 4]) {
    put(ring, one(number));
    used.push(usedBytes(ring));
  }
  takeOldest(ring, 2);
  used.push(usedBytes(ring));

  expect(used).toEqual([0, BLOCK, 2 * BLOCK, 3 * BLOCK, 3 * BLOCK + 5, BLOCK]);
});

test("a block that does not fit at the end of the arena is stored at the beginning", () => {
  const ring = ringOf({ spans: 10, bytes: 4 * BLOCK - 1 }, one(1), one(2), one(3));
  takeOldest(ring, 1);

  expect(put(ring, one(4))).toEqual(ACCEPTED);
  expect(offsets(ring)).toEqual([BLOCK, 2 * BLOCK, 0]);
});

test("blocks at the beginning may fill the gap exactly", () => {
  const ring = ringOf({ spans: 10, bytes: 3 * BLOCK }, one(1), one(2), one(3));
  takeOldest(ring, 2);

  expect([put(ring, one(4)), put(ring, one(5))]).toEqual([ACCEPTED, ACCEPTED]);
  expect(offsets(ring)).toEqual([2 * BLOCK, 0, BLOCK]);
  expect(contents(ring)).toBe(joined(one(3), one(4), one(5)).toHex());
});

test("a block one byte longer than the gap evicts the oldest block only", () => {
  const ring = ringOf({ spans: 10, bytes: 3 * BLOCK }, one(1), one(2), one(3));
  takeOldest(ring, 1);

  expect(put(ring, one(10))).toEqual(evicting(1));
  expect(offsets(ring)).toEqual([2 * BLOCK, 0]);
  expect(contents(ring)).toBe(joined(one(3), one(10)).toHex());
});

test("a block longer than the gap evicts all blocks that it overlaps", () => {
  const large = requestOf(4, 5);
  const ring = ringOf({ spans: 10, bytes: 4 * BLOCK }, one(1), one(2), one(3), one(4));

  expect(put(ring, large)).toEqual(evicting(Math.ceil(large.length / BLOCK)));
  expect(contents(ring)).toBe(joined(one(4), large).toHex());
});

test("after a block that reached the end, the next one starts at the beginning", () => {
  const ring = ringOf({ spans: 10, bytes: 2 * BLOCK }, one(1), one(2));
  takeOldest(ring, 1);

  expect([put(ring, one(3)), put(ring, one(4))]).toEqual([ACCEPTED, evicting(1)]);
  expect(offsets(ring)).toEqual([0, BLOCK]);
});

test("a request as large as the arena is stored and evicts everything else", () => {
  const large = requestOf(4);
  const ring = ringOf({ spans: 10, bytes: large.length }, one(1), one(2));

  expect(put(ring, large)).toEqual(evicting(2));
  expect(contents(ring)).toBe(large.toHex());
});

test("a request one byte larger than the arena is too large and changes nothing", () => {
  const large = requestOf(4);
  const ring = ringOf({ spans: 10, bytes: large.length - 1 }, one(1), one(2));
  const before = readStats(ring);

  expect(put(ring, large, { rejected: rejectedOf("shop", 1, 9) })).toEqual({
    outcome: "too_large",
  });
  expect(readStats(ring)).toEqual(before);
  expect(contents(ring)).toBe(joined(one(1), one(2)).toHex());
});

test("when slots are short, single spans are evicted instead of whole blocks", () => {
  const ring = ringOf({ spans: 4, bytes: 10_000 }, requestOf(3, 1));

  expect(put(ring, requestOf(2, 4))).toEqual(evicting(1));
  expect(readStats(ring).spans).toMatchObject({ buffered: 4, evicted: 1 });
});

test("a request with more spans than slots keeps its newest spans", () => {
  const ring = ringOf({ spans: 3, bytes: 10_000 }, one(9));

  expect(put(ring, bare(1, 2, 3, 4, 5))).toEqual(evicting(3));
  expect(readStats(ring)).toEqual({
    spans: ledgerOf({ received: 6, accepted: 6, buffered: 3, evicted: 3 }),
    bytes: ledgerOf({
      received: 6 * spanBytes,
      accepted: 6 * spanBytes,
      buffered: 3 * spanBytes,
      evicted: 3 * spanBytes,
    }),
    capacity: { spans: 3, bytes: 10_000 },
    sequence: { first: 4, next: 7 },
  });
  expect(contents(ring)).toBe(bare(3, 4, 5).toHex());
});

/** Returns a request with one scope that contains only these spans. */
function bare(...numbers: number[]): Uint8Array<ArrayBuffer> {
  return request(bytesField(1, bytesField(2, ...numbers.map((number) => span(number)))));
}

test("scopes whose spans have no slot take no row", () => {
  const scopes = [1, 2, 3, 4, 5].map((number) => bytesField(2, span(number)));
  const ring = createRingMemory({ spans: 2, bytes: 10_000 });

  put(ring, request(bytesField(1, ...scopes)));

  expect(contents(ring)).toBe(request(bytesField(1, ...scopes.slice(3))).toHex());
});

test("a ring of one span holds the newest span", () => {
  const ring = ringOf({ spans: 1, bytes: 10_000 }, one(1), requestOf(2, 2), one(4));

  expect(readStats(ring).spans).toMatchObject({ accepted: 4, buffered: 1, evicted: 3 });
  expect(contents(ring)).toBe(one(4).toHex());
});

const twoScopes = (number: number) =>
  request(bytesField(1, bytesField(2, span(number)), bytesField(2, span(number + 1))));

test("rows of contexts and blocks wrap without colliding, even with one span per scope", () => {
  const ring = createRingMemory({ spans: 3, bytes: 100_000 });

  for (let number = 1; number <= 41; number += 2) put(ring, twoScopes(number));

  expect(contents(ring)).toBe(
    joined(request(bytesField(1, bytesField(2, span(40)))), twoScopes(41)).toHex(),
  );
});

test("a request without spans changes nothing and fits into a full ring", () => {
  const ring = ringOf({ spans: 1, bytes: BLOCK }, one(1));
  const before = readStats(ring);

  expect(put(ring, resourceOnly, { mayEvict: false })).toEqual(ACCEPTED);
  expect(readStats(ring)).toEqual(before);
});

const resourceOnly = request(bytesField(1));

test("rejected spans are counted with the request they were cut out of", () => {
  const ring = ringOf({ spans: 5, bytes: 1_000 });

  put(ring, one(1), { rejected: rejectedOf("shop", 2, 31) });
  put(ring, new Uint8Array(0), { rejected: rejectedOf("shop", 1, 0) });

  const { spans, bytes } = readStats(ring);
  expect(spans).toMatchObject({ received: 4, rejected: 3, accepted: 1, buffered: 1 });
  expect(bytes).toMatchObject({ received: spanBytes + 31, rejected: 31, accepted: spanBytes });
});

test("sequences continue after spans are taken and evicted", () => {
  const ring = ringOf({ spans: 2, bytes: 10_000 }, requestOf(5));
  takeOldest(ring, 2);

  put(ring, one(6));

  expect(readStats(ring).sequence).toEqual({ first: 6, next: 7 });
});

const refuse = { mayEvict: false } as const;

test("without eviction, a request is refused if one slot is missing", () => {
  const ring = ringOf({ spans: 4, bytes: 10_000 }, requestOf(2));
  const before = readStats(ring);

  expect(put(ring, requestOf(3, 3), refuse)).toEqual({ outcome: "refused" });
  expect(readStats(ring)).toEqual(before);
  expect(put(ring, requestOf(2, 3), refuse)).toEqual(ACCEPTED);
});

test("without eviction, a request is refused if one byte is missing", () => {
  const ring = ringOf({ spans: 10, bytes: 2 * BLOCK - 1 }, one(1));
  const before = readStats(ring);
  const rejected = rejectedOf("shop", 1, 1);

  expect(put(ring, one(2), { ...refuse, rejected })).toEqual({ outcome: "refused" });
  expect(readStats(ring)).toEqual(before);
  takeOldest(ring, 1);
  expect(put(ring, one(2), refuse)).toEqual(ACCEPTED);
});

test("without eviction, a request that can never fit is too large, even when empty", () => {
  const ring = createRingMemory({ spans: 2, bytes: requestOf(3).length });

  expect(put(ring, requestOf(3), refuse)).toEqual({ outcome: "too_large" });
  expect(put(ring, requestOf(4), refuse)).toEqual({ outcome: "too_large" });
  put(ring, one(1), refuse);
  expect(put(ring, requestOf(3), refuse)).toEqual({ outcome: "too_large" });
});

test("without eviction, a request that fills the ring exactly is stored", () => {
  const ring = createRingMemory({ spans: 2, bytes: requestOf(2).length });

  expect(put(ring, requestOf(2), refuse)).toEqual(ACCEPTED);
});

test("a ring is full when no slot is free, and not before", () => {
  const ring = ringOf({ spans: 2, bytes: 10_000 }, one(1));
  const before = isFull(ring);

  put(ring, one(2));

  expect([before, isFull(ring)]).toEqual([false, true]);
});

/** The smallest request with a valid span: three message headers and two identifiers. */
const smallest = request(
  bytesField(1, bytesField(2, bytesField(2, bytesField(1, traceId(1)), bytesField(2, spanId(1))))),
);

test.each([
  { free: smallest.length, full: false },
  { free: smallest.length - 1, full: true },
  { free: 1, full: true },
  { free: 0, full: true },
])("a ring with $free bytes left at the end of the arena is full: $full", ({ free, full }) => {
  const ring = ringOf({ spans: 10, bytes: BLOCK + free }, one(1));

  expect(isFull(ring)).toBe(full);
  expect(put(ring, smallest)).toEqual(evicting(full ? 1 : 0));
});

test("a ring that is empty or was emptied is not full", () => {
  const ring = createRingMemory({ spans: 1, bytes: BLOCK });
  const before = isFull(ring);
  put(ring, one(1));
  takeOldest(ring, 1);

  expect([before, isFull(ring)]).toEqual([false, false]);
});
