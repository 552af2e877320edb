import type { SpanAmount } from "../../domain/ledger.ts";
import { assert } from "../../domain/assert.ts";
import { audit, recordDeparture, type Departure, usedSlots } from "./ring-ledger.ts";
import {
  EVICTED,
  FIRST_FREE,
  FIRST_SEQUENCE,
  FREE,
  GONE,
  NEXT_SEQUENCE,
  type RingMemory,
  type SpilledRun,
  TAKEN,
} from "./ring-memory.ts";
import { recordDepartureFromService } from "./ring-services.ts";

export function slotOf(ring: RingMemory, sequence: number): number {
  return sequence % ring.capacitySpans;
}

/**
 * Returns the slot of the next sequence. In a loop over many slots, this is several times as fast
 * as a division.
 */
export function slotAfter({ capacitySpans }: RingMemory, slot: number): number {
  return slot + 1 < capacitySpans ? slot + 1 : 0;
}

/** Returns the slots of these sequences, which ascend. */
export function slotsOf(ring: RingMemory, sequences: readonly number[]): Uint32Array {
  const slots = new Uint32Array(sequences.length);
  for (let at = 0; at < sequences.length; at += 1) {
    const isNext = at > 0 && sequences[at] === sequences[at - 1]! + 1;
    slots[at] = isNext ? slotAfter(ring, slots[at - 1]!) : slotOf(ring, sequences[at]!);
  }
  return slots;
}

/** Returns the block of a buffered span. */
export function blockOf(ring: RingMemory, sequence: number): number {
  return ring.contextBlock[ring.slotContext[slotOf(ring, sequence)]!]!;
}

/** Returns the sequence after the last span of a block. */
export function blockEndSequence(ring: RingMemory, block: number): number {
  return ring.blockFirstSequence[block]! + ring.blockSpans[block]!;
}

/** Reports whether a span is in the ring, leased or free. */
export function isBuffered(ring: RingMemory, sequence: number): boolean {
  const isInRange = ring.control[FIRST_SEQUENCE]! <= sequence;
  return isInRange && ring.slotState[slotOf(ring, sequence)] !== GONE;
}

/** Returns the oldest free spans within the limit, but at least one if any exists. */
export function oldestFree(ring: RingMemory, limit: SpanAmount): number[] {
  const { slotState, slotLength } = ring;
  const next = ring.control[NEXT_SEQUENCE]!;
  const free: number[] = [];
  let bytes = 0;
  let sequence = firstFree(ring);
  let slot = slotOf(ring, sequence);
  for (; sequence < next && free.length < limit.spans; sequence += 1) {
    if (slotState[slot] === FREE) {
      bytes += slotLength[slot]!;
      if (free.length > 0 && bytes > limit.bytes) break;
      free.push(sequence);
    }
    slot = slotAfter(ring, slot);
  }
  return free;
}

/** Returns the newest free span, if one exists. */
export function newestFree(ring: RingMemory): number[] {
  const first = firstFree(ring);
  let sequence = ring.control[NEXT_SEQUENCE]! - 1;
  while (sequence >= first && ring.slotState[slotOf(ring, sequence)] !== FREE) sequence -= 1;
  return sequence >= first ? [sequence] : [];
}

/** Returns the oldest buffered spans, leased or free: as many as wanted, or all. */
export function oldestBuffered(ring: RingMemory, spanCount: number): number[] {
  const next = ring.control[NEXT_SEQUENCE]!;
  const there: number[] = [];
  let sequence = ring.control[FIRST_SEQUENCE]!;
  let slot = slotOf(ring, sequence);
  for (; sequence < next && there.length < spanCount; sequence += 1) {
    if (ring.slotState[slot] !== GONE) there.push(sequence);
    slot = slotAfter(ring, slot);
  }
  return there;
}

/**
 * Returns where to start the search for a free span. An open lease can hold back the beginning of
 * the ring; the spans that left after it are not examined again each time.
 */
function firstFree({ control }: RingMemory): number {
  return Math.max(control[FIRST_FREE]!, control[FIRST_SEQUENCE]!);
}

/** Removes all free spans before `end`; leased spans stay. */
export function takeBefore(ring: RingMemory, end: number): SpanAmount {
  assert(end <= ring.control[NEXT_SEQUENCE]!, "taken spans are in the ring");
  const from = firstFree(ring);
  const taken = removeFreeBefore(ring, end, TAKEN);
  markGone(ring, from, end);
  beginAt(ring, ring.control[FIRST_SEQUENCE]!);
  audit(ring);
  return taken;
}

/**
 * Frees the slots before `end`. Free spans are evicted, unless they are kept elsewhere; leased
 * spans stay in the ledger as they are until they are settled.
 */
export function makeRoomBefore(ring: RingMemory, end: number): void {
  if (ring.spill === undefined) return evictBefore(ring, end);
  assert(end <= ring.control[NEXT_SEQUENCE]!, "spilled spans are in the ring");
  spillFreeBefore(ring, end);
  beginAt(ring, end);
  audit(ring);
}

/** Frees the slots before `end`. Free spans are evicted, even if they are kept elsewhere. */
export function evictBefore(ring: RingMemory, end: number): void {
  assert(end <= ring.control[NEXT_SEQUENCE]!, "evicted spans are in the ring");
  removeFreeBefore(ring, end, EVICTED);
  beginAt(ring, end);
  audit(ring);
}

/** Evicts the rest of the oldest block, which frees its bytes. */
export function evictOldestBlock(ring: RingMemory): void {
  assert(usedSlots(ring) > 0, "the ring has an oldest block");
  makeRoomBefore(ring, blockEndSequence(ring, blockOf(ring, ring.control[FIRST_SEQUENCE]!)));
}

function markGone(ring: RingMemory, from: number, end: number): void {
  let slot = slotOf(ring, from);
  for (let sequence = from; sequence < end; sequence += 1) {
    if (ring.slotState[slot] === FREE) ring.slotState[slot] = GONE;
    slot = slotAfter(ring, slot);
  }
}

/**
 * Moves the beginning of the ring to `first`, and on over spans after it that have left already.
 * Marks each slot that it passes as free, the state that an append expects.
 */
export function beginAt(ring: RingMemory, first: number): void {
  const { control, slotState } = ring;
  const next = control[NEXT_SEQUENCE]!;
  let sequence = control[FIRST_SEQUENCE]!;
  let slot = slotOf(ring, sequence);
  for (; sequence < next && (sequence < first || slotState[slot] === GONE); sequence += 1) {
    slotState[slot] = FREE;
    slot = slotAfter(ring, slot);
  }
  control[FIRST_SEQUENCE] = sequence;
}

/**
 * Moves all free spans before `end` to an entry of the ledger, and leaves their slots as they are.
 * Counts neighbours of one service together.
 */
function removeFreeBefore(ring: RingMemory, end: number, entry: Departure): SpanAmount {
  const { slotState, slotLength } = ring;
  const all = { spans: 0, bytes: 0 };
  let sequence = firstFree(ring);
  let slot = slotOf(ring, sequence);
  while (sequence < end) {
    const service = serviceAt(ring, slot);
    const run = { spans: 0, bytes: 0 };
    for (; sequence < end && serviceAt(ring, slot) === service; sequence += 1) {
      if (slotState[slot] === FREE) {
        run.spans += 1;
        run.bytes += slotLength[slot]!;
      }
      slot = slotAfter(ring, slot);
    }
    recordDepartureFromService(ring, service, { entry, spans: run.spans, bytes: run.bytes });
    all.spans += run.spans;
    all.bytes += run.bytes;
  }
  ring.control[FIRST_FREE] = sequence;
  recordDeparture(ring, entry, all);
  return all;
}

/** Removes all free spans before `end`, and reports them by context, so by request. */
function spillFreeBefore(ring: RingMemory, end: number): void {
  const { slotState, slotLength, slotContext } = ring;
  let sequence = firstFree(ring);
  let slot = slotOf(ring, sequence);
  while (sequence < end) {
    const context = slotContext[slot]!;
    const run = { sequence, service: ring.contextService[context]!, spans: 0, bytes: 0 };
    for (; sequence < end && slotContext[slot] === context; sequence += 1) {
      if (slotState[slot] === FREE) {
        if (run.spans === 0) run.sequence = sequence;
        run.spans += 1;
        run.bytes += slotLength[slot]!;
      }
      slot = slotAfter(ring, slot);
    }
    spillRun(ring, run);
  }
  ring.control[FIRST_FREE] = sequence;
}

/** Reports spans that have left the ring; those that are not kept elsewhere are evicted. */
export function spillRun(ring: RingMemory, run: SpilledRun): void {
  if (run.spans === 0 || ring.spill?.(run) === true) return;
  const { service, spans, bytes } = run;
  recordDepartureFromService(ring, service, { entry: EVICTED, spans, bytes });
  recordDeparture(ring, EVICTED, { spans, bytes });
}

/** Returns the bytes of the free spans in a range. */
export function freeBytes(ring: RingMemory, first: number, end: number): number {
  const from = Math.max(first, ring.control[FIRST_SEQUENCE]!);
  const to = Math.min(end, ring.control[NEXT_SEQUENCE]!);
  let bytes = 0;
  for (let sequence = from; sequence < to; sequence += 1) {
    const slot = slotOf(ring, sequence);
    if (ring.slotState[slot] === FREE) bytes += ring.slotLength[slot]!;
  }
  return bytes;
}

export function serviceAt(ring: RingMemory, slot: number): number {
  return ring.contextService[ring.slotContext[slot]!]!;
}
