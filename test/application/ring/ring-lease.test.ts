import { describe, expect, test } from "bun:test";
import {
  leaseNewest,
  leaseOldest,
  requestOfPart,
  settle,
} from "../../../src/application/ring/ring-lease.ts";
import { copyOldest, copySpans, takeOldest } from "../../../src/application/ring/ring-hand-over.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import type { RingMemory } from "../../../src/application/ring/ring-memory.ts";
import { readServices } from "../../../src/application/ring/ring-services.ts";
import { AssertionError } from "../../../src/domain/assert.ts";
import { joined, put, ringOf } from "../../support/running/filled-ring.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
  spanBody,
} from "../../support/requests/request-bytes.ts";
import { spanNumbers } from "../../support/oracles/walked-spans.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import type { Lease, Settlement } from "../../../src/ports/trace-buffer.ts";

const ROOMY = { spans: 100, bytes: 100_000 };
const ANY = { spans: 1_000, bytes: 1_000_000 };
const SPAN_BYTES = spanBody(1).length;

/** Returns a request with one scope and no field after its spans, which a part would move. */
function bare(name: string, ...numbers: number[]): Uint8Array<ArrayBuffer> {
  const scope = bytesField(1, bytesField(1, name));
  return request(bytesField(1, bytesField(2, scope, ...numbers.map((number) => span(number)))));
}

function lease(ring: RingMemory, spans = ANY.spans, bytes = ANY.bytes): Lease {
  const leased = leaseOldest(ring, { spans, bytes });
  if (leased === undefined) throw new Error("no span can be leased");
  return leased;
}

function settleAll(ring: RingMemory, leased: Lease, settlement: Settlement): void {
  settle(ring, leased, { first: 0, end: leased.sequences.length }, settlement);
}

/** Returns a ring in which two newer spans have the slots of a leased span and of its neighbour. */
function overtaken(): { ring: RingMemory; leased: Lease } {
  const ring = ringOf({ spans: 2, bytes: 10_000 }, requestOf(2));
  const leased = lease(ring, 1);
  put(ring, requestOf(2, 3));
  return { ring, leased };
}

describe("a lease", () => {
  test("contains the oldest spans as received, and does not remove them", () => {
    const ring = ringOf(ROOMY, requestOf(2), requestOf(3, 3));

    const { request: bytes, sequences } = lease(ring);

    expect(sequences).toEqual([1, 2, 3, 4, 5]);
    expect(bytes.toHex()).toBe(joined(requestOf(2), requestOf(3, 3)).toHex());
    expect(readStats(ring).spans).toMatchObject({ buffered: 5, delivered: 0 });
  });

  test("is limited in spans and in bytes", () => {
    const ring = ringOf(ROOMY, requestOf(5));

    expect(lease(ring, 2).sequences).toEqual([1, 2]);
    expect(lease(ring, 9, 2 * SPAN_BYTES).sequences).toEqual([3, 4]);
  });

  test("excludes spans that are leased or have left", () => {
    const ring = ringOf(ROOMY, requestOf(5));
    lease(ring, 2);
    takeOldest(ring, 1);

    expect(lease(ring).sequences).toEqual([4, 5]);
  });

  test("is undefined if no span is free", () => {
    const ring = ringOf(ROOMY, requestOf(2));
    lease(ring);

    expect(leaseOldest(ring, ANY)).toBeUndefined();
    expect(leaseOldest(ringOf(ROOMY), ANY)).toBeUndefined();
  });

  test("that begins and ends within requests includes the messages around its spans", () => {
    const ring = ringOf(ROOMY, bare("a", 1, 2), bare("b", 3, 4));
    takeOldest(ring, 1);

    const { request: bytes } = lease(ring, 2);

    expect(bytes.toHex()).toBe(joined(bare("a", 2), bare("b", 3)).toHex());
  });

  test("leaves its spans readable", () => {
    const ring = ringOf(ROOMY, requestOf(3));
    const leased = lease(ring, 2);

    expect(copyOldest(ring, 9).request.toHex()).toBe(requestOf(3).toHex());
    expect(copySpans(ring, leased.sequences).sequences).toEqual([1, 2]);
  });

  test("excludes its spans from being taken", () => {
    const ring = ringOf(ROOMY, requestOf(1), requestOf(1, 2), requestOf(1, 3));
    lease(ring, 2);

    expect(takeOldest(ring, 9).request.toHex()).toBe(requestOf(1, 3).toHex());
  });
});

describe("a settled span is in one entry of the ledger", () => {
  test.each([
    { settlement: "delivered", left: { buffered: 1, delivered: 2 }, first: 3 },
    { settlement: "undeliverable", left: { buffered: 1, undeliverable: 2 }, first: 3 },
    { settlement: "returned", left: { buffered: 3, delivered: 0, evicted: 0 }, first: 1 },
  ] as const)("$settlement", ({ settlement, left, first }) => {
    const ring = ringOf(ROOMY, requestOf(3));

    settleAll(ring, lease(ring, 2), settlement);

    expect(readStats(ring).spans).toMatchObject(left);
    expect(readStats(ring).sequence.first).toBe(first);
  });

  test("whatever the order in which leases are settled", () => {
    const ring = ringOf(ROOMY, requestOf(4));
    const [one, other] = [lease(ring, 2), lease(ring, 1)];

    settleAll(ring, other, "delivered");
    const inBetween = readStats(ring).sequence;
    settleAll(ring, one, "returned");

    expect(inBetween).toEqual({ first: 1, next: 5 });
    expect(lease(ring).sequences).toEqual([1, 2, 4]);
  });

  test("even if parts of its lease are settled differently", () => {
    const ring = ringOf(ROOMY, requestOf(4));
    const leased = lease(ring);

    settle(ring, leased, { first: 0, end: 1 }, "undeliverable");
    settle(ring, leased, { first: 1, end: 3 }, "returned");
    settle(ring, leased, { first: 3, end: 4 }, "delivered");

    const left = { buffered: 2, delivered: 1, undeliverable: 1 };
    expect(readStats(ring).spans).toMatchObject(left);
    expect(readStats(ring).bytes).toMatchObject({ buffered: 2 * SPAN_BYTES });
  });

  test("and in the same entry of its service", () => {
    const shop = resourceSpans("shop", span(1));
    const ring = ringOf(ROOMY, request(shop, resourceSpans("cart", span(2), span(3))));

    settleAll(ring, lease(ring, 2), "delivered");

    expect(readServices(ring).map(({ spans }) => spans.delivered)).toEqual([1, 1]);
  });

  test.each([
    { name: "that ends after its lease", part: { first: 1, end: 3 } },
    { name: "that begins before its lease", part: { first: -1, end: 1 } },
    { name: "that ends before it begins", part: { first: 2, end: 1 } },
  ])("but no part $name can be settled or sent", ({ part }) => {
    const ring = ringOf(ROOMY, requestOf(2));
    const leased = lease(ring);

    expect(() => settle(ring, leased, part, "returned")).toThrow(AssertionError);
    expect(() => requestOfPart(leased, part)).toThrow(AssertionError);
  });

  test("and cannot be settled again", () => {
    const ring = ringOf(ROOMY, requestOf(3));
    const leased = lease(ring);
    settle(ring, leased, { first: 0, end: 2 }, "returned");

    expect(() => settleAll(ring, leased, "delivered")).toThrow(AssertionError);
  });
});

describe("the newest span", () => {
  test("is leased alone, and the oldest ones stay free", () => {
    const ring = ringOf(ROOMY, requestOf(3));

    const newest = leaseNewest(ring);
    const others = lease(ring);

    expect([newest?.sequences, others.sequences]).toEqual([[3], [1, 2]]);
    expect(spanNumbers(newest!.request)).toEqual([3]);
  });

  test("is the newest one that is free", () => {
    const ring = ringOf(ROOMY, requestOf(3));
    leaseNewest(ring);

    expect([leaseNewest(ring)?.sequences, leaseNewest(ring)?.sequences]).toEqual([[2], [1]]);
    expect([leaseNewest(ring), leaseNewest(ringOf(ROOMY))]).toEqual([undefined, undefined]);
  });

  test("is found again after its return, even after spans that were leased later", () => {
    const ring = ringOf(ROOMY, requestOf(3));
    const newest = leaseNewest(ring)!;
    lease(ring);

    settleAll(ring, newest, "returned");

    expect(lease(ring).sequences).toEqual([3]);
    expect(readStats(ring).spans).toMatchObject({ accepted: 3, buffered: 3 });
  });
});

describe("a leased span without a slot", () => {
  test("counts as buffered until it is settled, and its neighbour is evicted", () => {
    const { ring } = overtaken();

    expect(readStats(ring).spans).toMatchObject({ accepted: 4, buffered: 3, evicted: 1 });
    expect(readStats(ring).sequence).toEqual({ first: 3, next: 5 });
  });

  test.each([
    { settlement: "delivered", left: { buffered: 2, delivered: 1, evicted: 1 } },
    { settlement: "undeliverable", left: { buffered: 2, undeliverable: 1, evicted: 1 } },
    { settlement: "returned", left: { buffered: 2, delivered: 0, evicted: 2 } },
  ] as const)("counts as settled: $settlement", ({ settlement, left }) => {
    const { ring, leased } = overtaken();

    const evictedSpans = settle(ring, leased, { first: 0, end: 1 }, settlement);

    expect(readStats(ring).spans).toMatchObject(left);
    expect(evictedSpans).toBe(left.evicted - 1);
    expect(lease(ring).sequences).toEqual([3, 4]);
  });

  test("is not confused with the span that has its slot now", () => {
    const { ring, leased } = overtaken();
    const other = lease(ring);

    settleAll(ring, leased, "delivered");
    settleAll(ring, other, "returned");

    expect(readStats(ring).spans).toMatchObject({ buffered: 2, delivered: 1 });
    expect(takeOldest(ring, 9).request.toHex()).toBe(requestOf(2, 3).toHex());
  });

  test("counts for its service, in bytes as well", () => {
    const both = request(resourceSpans("shop", span(1)), resourceSpans("cart", span(2)));
    const ring = ringOf({ spans: 2, bytes: 10_000 }, both);
    const leased = lease(ring);
    put(ring, request(resourceSpans("till", span(3), span(4))));

    settle(ring, leased, { first: 1, end: 2 }, "returned");

    const [shop, cart, till] = readServices(ring);
    expect(shop?.bytes).toMatchObject({ buffered: SPAN_BYTES, evicted: 0 });
    expect(cart?.bytes).toMatchObject({ buffered: 0, evicted: SPAN_BYTES });
    expect(till?.bytes).toMatchObject({ buffered: 2 * SPAN_BYTES, evicted: 0 });
  });
});

describe("a part of a lease", () => {
  test("is a complete request", () => {
    const leased = lease(ringOf(ROOMY, bare("a", 1), bare("b", 2, 3), bare("c", 4, 5)));

    const part = requestOfPart(leased, { first: 1, end: 4 });

    expect(part.toHex()).toBe(joined(bare("b", 2, 3), bare("c", 4)).toHex());
  });

  test("that covers the whole lease omits messages without spans", () => {
    const empty = bytesField(1, bytesField(2, bytesField(1, bytesField(1, "empty"))));
    const leased = lease(ringOf(ROOMY, joined(bare("a", 1, 2), request(empty))));

    const part = requestOfPart(leased, { first: 0, end: 2 });

    expect(leased.request.length).toBeGreaterThan(part.length);
    expect(part.toHex()).toBe(bare("a", 1, 2).toHex());
  });

  test("may consist of several ranges", () => {
    const leased = lease(ringOf(ROOMY, bare("a", 1), bare("b", 2, 3)));

    const part = requestOfPart(leased, { first: 0, end: 1 }, { first: 2, end: 3 });

    expect(part.toHex()).toBe(joined(bare("a", 1), bare("b", 3)).toHex());
  });

  test("can be sent after its spans have lost their slots", () => {
    const ring = ringOf({ spans: 2, bytes: 10_000 }, bare("a", 1, 2));
    const leased = lease(ring);
    put(ring, requestOf(2, 3));
    ring.arena.fill(0xee);

    expect(requestOfPart(leased, { first: 1, end: 2 }).toHex()).toBe(bare("a", 2).toHex());
  });
});
