import type { SpanAmount } from "../../domain/ledger.ts";
import { assert } from "../../domain/assert.ts";
import { audit, bookDeparture, type Departure, usedSlots } from "./ring-ledger.ts";
import {
  EVICTED,
  FIRST_FREE,
  FIRST_SEQUENCE,
  FREE,
  GONE,
  NEXT_SEQUENCE,
  type RingMemory,
  TAKEN,
} from "./ring-memory.ts";
import { bookDepartureFromService } from "./ring-services.ts";

export function slotOf(ring: RingMemory, sequence: number): number {
  return sequence % ring.capacitySpans;
}

/** Of the next sequence. A loop over many is several times as fast with it as with a division. */
export function slotAfter({ capacitySpans }: RingMemory, slot: number): number {
  return slot + 1 < capacitySpans ? slot + 1 : 0;
}

/** The slots of these sequences, which ascend. */
export function slotsOf(ring: RingMemory, sequences: readonly number[]): Uint32Array {
  const slots = new Uint32Array(sequences.length);
  for (let at = 0; at < sequences.length; at += 1) {
    const isNext = at > 0 && sequences[at] === sequences[at - 1]! + 1;
    slots[at] = isNext ? slotAfter(ring, slots[at - 1]!) : slotOf(ring, sequences[at]!);
  }
  return slots;
}

/** The block that a buffered span lies in. */
export function blockOf(ring: RingMemory, sequence: number): number {
  return ring.contextBlock[ring.slotContext[slotOf(ring, sequence)]!]!;
}

/** The sequence behind the last span of a block. */
export function blockEndSequence(ring: RingMemory, block: number): number {
  return ring.blockFirstSequence[block]! + ring.blockSpans[block]!;
}

/** Whether a span is in the ring: leased or not, but neither evicted nor gone. */
export function isThere(ring: RingMemory, sequence: number): boolean {
  const isInRange = ring.control[FIRST_SEQUENCE]! <= sequence;
  return isInRange && ring.slotState[slotOf(ring, sequence)] !== GONE;
}

/** The oldest spans that nobody has: at least one if there is one, and no more than the limit. */
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

/** The newest span that nobody has, if there is one. */
export function newestFree(ring: RingMemory): number[] {
  const first = firstFree(ring);
  let sequence = ring.control[NEXT_SEQUENCE]! - 1;
  while (sequence >= first && ring.slotState[slotOf(ring, sequence)] !== FREE) sequence -= 1;
  return sequence >= first ? [sequence] : [];
}

/** The oldest spans that are there, leased or not: as many as wanted, or all there are. */
export function oldestThere(ring: RingMemory, spanCount: number): number[] {
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
 * Where to look for a free span. One lease that stays open can hold back the beginning of the ring,
 * and what has left behind it is not looked through again each time.
 */
function firstFree({ control }: RingMemory): number {
  return Math.max(control[FIRST_FREE]!, control[FIRST_SEQUENCE]!);
}

/** Takes out every span before `end` that nobody has; what is leased stays. */
export function takeBefore(ring: RingMemory, end: number): SpanAmount {
  assert(end <= ring.control[NEXT_SEQUENCE]!, "only what is there can be taken");
  const from = firstFree(ring);
  const taken = bookFreeBefore(ring, end, TAKEN);
  markGone(ring, from, end);
  beginAt(ring, ring.control[FIRST_SEQUENCE]!);
  audit(ring);
  return taken;
}

/**
 * Makes the slots before `end` free. What nobody has is evicted; what is in flight stays in the
 * books as it is, until it is settled.
 */
export function evictBefore(ring: RingMemory, end: number): void {
  assert(end <= ring.control[NEXT_SEQUENCE]!, "only what is there can be evicted");
  bookFreeBefore(ring, end, EVICTED);
  beginAt(ring, end);
  audit(ring);
}

/** Evicts what is left of the oldest block, which frees its bytes. */
export function evictOldestBlock(ring: RingMemory): void {
  assert(usedSlots(ring) > 0, "there is an oldest block");
  evictBefore(ring, blockEndSequence(ring, blockOf(ring, ring.control[FIRST_SEQUENCE]!)));
}

function markGone(ring: RingMemory, from: number, end: number): void {
  let slot = slotOf(ring, from);
  for (let sequence = from; sequence < end; sequence += 1) {
    if (ring.slotState[slot] === FREE) ring.slotState[slot] = GONE;
    slot = slotAfter(ring, slot);
  }
}

/**
 * The ring begins at `first`, or behind it, where spans have left already. The slots before are
 * made as an append wants them: so it has nothing to write there.
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
 * Every free span before `end` leaves the books; its slot is as it was. Neighbours that share a
 * service are booked together.
 */
function bookFreeBefore(ring: RingMemory, end: number, entry: Departure): SpanAmount {
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
    bookDepartureFromService(ring, service, { entry, spans: run.spans, bytes: run.bytes });
    all.spans += run.spans;
    all.bytes += run.bytes;
  }
  ring.control[FIRST_FREE] = sequence;
  bookDeparture(ring, entry, all);
  return all;
}

export function serviceAt(ring: RingMemory, slot: number): number {
  return ring.contextService[ring.slotContext[slot]!]!;
}
