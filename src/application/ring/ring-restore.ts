import { assert } from "../../domain/assert.ts";
import { audit, usedSlots } from "./ring-ledger.ts";
import { FIRST_SEQUENCE, GONE, NEXT_SEQUENCE, type RingMemory } from "./ring-memory.ts";
import { makeRoomBefore, slotAfter, slotOf } from "./ring-removal.ts";
import { append, type AppendRequest, appendSpilled } from "./ring-append.ts";
import type { AppendResult } from "../../ports/trace-buffer.ts";

/**
 * Appends a request that arrived earlier, and begins at this sequence. If it is larger than the
 * ring and kept elsewhere, it is only counted. Needs the lock.
 */
export function restore(ring: RingMemory, request: AppendRequest, sequence: number): AppendResult {
  skipTo(ring, sequence);
  const isTooLarge = request.walked.request.length > ring.capacityBytes;
  return isTooLarge && ring.spill !== undefined
    ? appendSpilled(ring, request)
    : append(ring, request);
}

/**
 * Continues with this sequence; the ring never gets the spans before it. Their slots look like
 * copies of the newest span that have left. If the gap leaves too few slots, the oldest spans are
 * evicted. Needs the lock.
 */
export function skipTo(ring: RingMemory, sequence: number): void {
  const { control, capacitySpans } = ring;
  assert(sequence >= control[NEXT_SEQUENCE]!, "sequences are never reused");
  if (sequence === control[NEXT_SEQUENCE]!) return;
  const used = usedSlots(ring);
  const excess = sequence - control[FIRST_SEQUENCE]! - capacitySpans;
  if (excess > 0) makeRoomBefore(ring, control[FIRST_SEQUENCE]! + Math.min(used, excess));
  if (usedSlots(ring) === 0) control[FIRST_SEQUENCE] = sequence;
  else markGap(ring, sequence);
  control[NEXT_SEQUENCE] = sequence;
  audit(ring);
}

function markGap(ring: RingMemory, end: number): void {
  const next = ring.control[NEXT_SEQUENCE]!;
  const newest = slotOf(ring, next - 1);
  let slot = slotOf(ring, next);
  for (let sequence = next; sequence < end; sequence += 1) {
    ring.slotContext[slot] = ring.slotContext[newest]!;
    ring.slotOffset[slot] = ring.slotOffset[newest]!;
    ring.slotLength[slot] = ring.slotLength[newest]!;
    ring.slotTraceTail[slot] = ring.slotTraceTail[newest]!;
    ring.slotState[slot] = GONE;
    slot = slotAfter(ring, slot);
  }
}
