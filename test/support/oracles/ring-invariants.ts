import { readStats, usedSlots } from "../../../src/application/ring/ring-ledger.ts";
import {
  FIRST_FREE,
  FIRST_SEQUENCE,
  FREE,
  GONE,
  LEASED,
  NEXT_SEQUENCE,
  type RingMemory,
} from "../../../src/application/ring/ring-memory.ts";
import { blockEndSequence, blockOf, slotOf } from "../../../src/application/ring/ring-removal.ts";
import { readServices } from "../../../src/application/ring/ring-services.ts";
import { assert } from "../../../src/domain/assert.ts";
import { assertLedgerBalances, type Ledger } from "../../../src/domain/ledger.ts";
import { traceTail } from "../../../src/domain/query/filter-key.ts";
import { createSpanFields, readSpanFields } from "../../../src/domain/wire/span-fields.ts";

/**
 * Asserts the invariants of a ring between two calls. Tests call it after each change, without the
 * lock, so no other thread may use the ring at the same time.
 */
export function assertInvariants(ring: RingMemory): void {
  assertSequences(ring);
  assertSlotStates(ring);
  for (const sequence of usedSequences(ring)) assertSpanLies(ring, sequence);
  assertBlocksFollow(ring);
  assertLedger(ring);
}

function usedSequences(ring: RingMemory): number[] {
  const first = ring.control[FIRST_SEQUENCE]!;
  return Array.from({ length: usedSlots(ring) }, (_, index) => first + index);
}

function assertSequences({ control, capacitySpans }: RingMemory): void {
  const [first, next] = [control[FIRST_SEQUENCE]!, control[NEXT_SEQUENCE]!];
  assert(first >= 1 && first <= next, "1 <= first sequence <= next sequence");
  assert(next - first <= capacitySpans, "used slots <= capacity");
  assert(control[FIRST_FREE]! <= next, "the bound of free spans is no sequence of the future");
}

function assertSlotStates(ring: RingMemory): void {
  const { control, slotState } = ring;
  const used = usedSequences(ring);
  const usedSet = new Set(used.map((sequence) => slotOf(ring, sequence)));
  for (const [slot, state] of slotState.entries()) {
    assert(state === FREE || usedSet.has(slot), "a slot that is not in use is free");
    assert(state === FREE || state === LEASED || state === GONE, "a slot has one of three states");
  }
  const states = used.map((sequence) => slotState[slotOf(ring, sequence)]);
  assert(states[0] !== GONE, "the first span of the ring is there");
  const before = states.slice(0, Math.max(0, control[FIRST_FREE]! - control[FIRST_SEQUENCE]!));
  assert(!before.includes(FREE), "no span before the bound is free");
}

const fields = createSpanFields();

/** Asserts that a span, its scope, resource and block, and the arena contain one another. */
function assertSpanLies(ring: RingMemory, sequence: number): void {
  const slot = slotOf(ring, sequence);
  const context = ring.slotContext[slot]!;
  const block = ring.contextBlock[context]!;
  const span = rangeOf(ring.slotOffset[slot]!, ring.slotLength[slot]!);
  const scope = rangeOf(ring.scopeOffset[context]!, ring.scopeLength[context]!);
  const resource = rangeOf(ring.resourceOffset[context]!, ring.resourceLength[context]!);
  const bytes = rangeOf(ring.blockOffset[block]!, ring.blockLength[block]!);
  assert(isWithin(span, scope), "a span lies in its ScopeSpans");
  assert(isWithin(scope, resource), "a ScopeSpans lies in its ResourceSpans");
  assert(isWithin(resource, bytes), "a ResourceSpans lies in its block");
  assert(isWithin(bytes, rangeOf(0, ring.capacityBytes)), "a block lies in the arena");
  assertRun(ring, context, scope);
  const isAfterFirst = ring.blockFirstSequence[block]! <= sequence;
  // In a gap, which only spans that have left can be, a slot belongs to the block before it.
  const isBeforeEnd = sequence < blockEndSequence(ring, block) || ring.slotState[slot] === GONE;
  assert(isAfterFirst && isBeforeEnd, "a span is one of its block's");
  readSpanFields(fields, ring.arena, ring.slotOffset[slot]!, ring.slotLength[slot]!);
  const tail = traceTail(ring.arena, fields.traceIdAt);
  assert(ring.slotTraceTail[slot] === tail, "a slot has the tail of its span's trace");
}

function assertRun(ring: RingMemory, context: number, scope: Range): void {
  const [start, end] = [ring.spansStart[context]!, ring.spansEnd[context]!];
  assert(end === 0 || isWithin({ start, end }, scope), "a known run of spans lies in its scope");
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function rangeOf(start: number, length: number): Range {
  return { start, end: start + length };
}

function isWithin(inner: Range, outer: Range): boolean {
  return outer.start <= inner.start && inner.start <= inner.end && inner.end <= outer.end;
}

/**
 * Asserts that contexts and blocks are in the order of the spans, and that blocks do not overlap.
 */
function assertBlocksFollow(ring: RingMemory): void {
  const used = usedSequences(ring);
  let turns = 0;
  for (const [index, sequence] of used.slice(1).entries()) {
    const before = used[index]!;
    const [context, next] = [before, sequence].map((each) => ring.slotContext[slotOf(ring, each)]!);
    const [block, nextBlock] = [blockOf(ring, before), blockOf(ring, sequence)];
    assert(isSameOrNext(ring, context!, next!), "contexts follow one another");
    assert(isSameOrNext(ring, block, nextBlock), "blocks follow one another");
    if (nextBlock === block) continue;
    assert(ring.blockFirstSequence[nextBlock] === sequence, "a block begins after the one before");
    const end = ring.blockOffset[block]! + ring.blockLength[block]!;
    turns += ring.blockOffset[nextBlock] === end ? 0 : 1;
    const isPlaced = ring.blockOffset[nextBlock] === end || ring.blockOffset[nextBlock] === 0;
    assert(isPlaced, "a block lies after the one before, or where the arena begins");
  }
  assert(turns <= 1, "blocks go round the arena once");
  if (turns === 1) assertGap(ring, blockOf(ring, used[0]!), blockOf(ring, used.at(-1)!));
}

function assertGap(ring: RingMemory, oldest: number, newest: number): void {
  const end = ring.blockOffset[newest]! + ring.blockLength[newest]!;
  assert(end <= ring.blockOffset[oldest]!, "the newest block ends before the oldest");
}

function isSameOrNext({ capacitySpans }: RingMemory, row: number, next: number): boolean {
  return next === row || next === (row + 1) % capacitySpans;
}

/**
 * Asserts that the ledger balances, agrees with the slots, and is the sum of the ledgers by
 * service.
 */
function assertLedger(ring: RingMemory): void {
  const stats = readStats(ring);
  const services = readServices(ring);
  for (const unit of ["spans", "bytes"] as const) {
    const ledger = stats[unit];
    assertLedgerBalances(ledger);
    for (const key of Object.keys(ledger) as (keyof Ledger)[]) {
      const sum = services.reduce((total, service) => total + service[unit][key], 0);
      assert(sum === ledger[key], "the services add up to the ring");
    }
  }
  const there = usedSequences(ring)
    .map((sequence) => slotOf(ring, sequence))
    .filter((slot) => ring.slotState[slot] !== GONE);
  const bytes = there.reduce((sum, slot) => sum + ring.slotLength[slot]!, 0);
  // Leased spans that have given up their slots are buffered in the ledger.
  assert(stats.spans.buffered >= there.length, "every span that is there is buffered");
  assert(stats.bytes.buffered >= bytes, "every byte that is there is buffered");
}
