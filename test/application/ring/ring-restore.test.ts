import { describe, expect, test } from "bun:test";
import { copyOldest } from "../../../src/application/ring/ring-hand-over.ts";
import { leaseOldest, settle } from "../../../src/application/ring/ring-lease.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import type { RingMemory } from "../../../src/application/ring/ring-memory.ts";
import { evictOldestBlock } from "../../../src/application/ring/ring-removal.ts";
import { skipTo } from "../../../src/application/ring/ring-restore.ts";
import { AssertionError } from "../../../src/domain/assert.ts";
import { assertInvariants } from "../../support/oracles/ring-invariants.ts";
import { put, ringOf } from "../../support/running/filled-ring.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

const ROOMY = { spans: 10, bytes: 100_000 };

function sequencesIn(ring: RingMemory): readonly number[] {
  return copyOldest(ring, 1_000).sequences;
}

function skip(ring: RingMemory, sequence: number): void {
  skipTo(ring, sequence);
  assertInvariants(ring);
}

describe("skipTo", () => {
  test("gives the next span of an empty ring its sequence", () => {
    const ring = ringOf(ROOMY);

    skip(ring, 7_001);
    put(ring, requestOf(2));

    expect(sequencesIn(ring)).toEqual([7_001, 7_002]);
    expect(readStats(ring).sequence).toEqual({ first: 7_001, next: 7_003 });
  });

  test("leaves a gap between spans, which readers do not see", () => {
    const ring = ringOf(ROOMY, requestOf(2));

    skip(ring, 5);
    put(ring, requestOf(2, 3));

    expect(sequencesIn(ring)).toEqual([1, 2, 5, 6]);
    expect(readStats(ring).spans).toMatchObject({ accepted: 4, buffered: 4, evicted: 0 });
  });

  test("to the next sequence changes nothing", () => {
    const ring = ringOf(ROOMY, requestOf(2));

    skip(ring, 3);

    expect(readStats(ring).sequence).toEqual({ first: 1, next: 3 });
  });

  test("never goes back", () => {
    const ring = ringOf(ROOMY, requestOf(2));

    expect(() => skip(ring, 2)).toThrow(AssertionError);
  });

  test.each([
    { name: "some spans, if the gap takes their slots", to: 11, left: [2, 3] },
    { name: "all spans, if the gap is longer than the ring", to: 500, left: [] },
  ])("evicts $name", ({ to, left }) => {
    const ring = ringOf(ROOMY, requestOf(3));

    skip(ring, to + 1);
    const kept = sequencesIn(ring);
    put(ring, requestOf(1, 9));

    expect(kept).toEqual(left);
    expect(sequencesIn(ring).at(-1)).toBe(to + 1);
    expect(readStats(ring).spans.evicted).toBeGreaterThanOrEqual(3 - left.length);
  });

  test("lets the beginning of the ring move over a gap", () => {
    const ring = ringOf(ROOMY, requestOf(2));
    skip(ring, 5);
    put(ring, requestOf(2, 3));

    evictOldestBlock(ring);
    assertInvariants(ring);

    expect(readStats(ring).sequence).toEqual({ first: 5, next: 7 });
  });

  test("keeps leases on both sides of a gap", () => {
    const ring = ringOf(ROOMY, requestOf(2));
    skip(ring, 5);
    put(ring, requestOf(2, 3));

    const lease = leaseOldest(ring, { spans: 3, bytes: 10_000 })!;
    settle(ring, lease, { first: 0, end: 3 }, "delivered");
    assertInvariants(ring);

    expect(lease.sequences).toEqual([1, 2, 5]);
    expect(sequencesIn(ring)).toEqual([6]);
  });
});
