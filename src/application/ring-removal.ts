import { assert } from "../domain/assert.ts";
import { audit, book, bufferedSpans, type SpanAmount } from "./ring-ledger.ts";
import {
  BUFFERED_BYTES,
  EVICTED,
  FIRST_SEQUENCE,
  NEXT_SEQUENCE,
  type RingMemory,
  type TAKEN,
} from "./ring-memory.ts";
import { bookRemovedFromService } from "./ring-services.ts";

export function slotOf(ring: RingMemory, sequence: number): number {
  return sequence % ring.capacitySpans;
}

/** The block that a buffered span lies in. */
export function blockOf(ring: RingMemory, sequence: number): number {
  return ring.contextBlock[ring.slotContext[slotOf(ring, sequence)]!]!;
}

/** The sequence behind the last span of a block. */
export function blockEndSequence(ring: RingMemory, block: number): number {
  return ring.blockFirstSequence[block]! + ring.blockSpans[block]!;
}

/** Takes the oldest spans out, into the book of those evicted or those taken. */
export function removeOldest(
  ring: RingMemory,
  spanCount: number,
  entry: typeof TAKEN | typeof EVICTED,
): SpanAmount {
  assert(Number.isInteger(spanCount) && spanCount >= 0, "spans are removed whole");
  assert(spanCount <= bufferedSpans(ring), "only what is buffered can be removed");
  const removed = { spans: spanCount, bytes: bookOldestByService(ring, spanCount, entry) };
  ring.control[FIRST_SEQUENCE]! += spanCount;
  ring.control[BUFFERED_BYTES]! -= removed.bytes;
  book(ring, entry, removed);
  audit(ring);
  return removed;
}

/** Answers their bytes. Neighbours that share a service are booked together. */
function bookOldestByService(
  ring: RingMemory,
  spanCount: number,
  entry: typeof TAKEN | typeof EVICTED,
): number {
  let allBytes = 0;
  let slot = slotOf(ring, ring.control[FIRST_SEQUENCE]!);
  for (let count = 0; count < spanCount;) {
    const service = serviceAt(ring, slot);
    const first = count;
    let bytes = 0;
    for (; count < spanCount && serviceAt(ring, slot) === service; count += 1) {
      bytes += ring.slotLength[slot]!;
      slot = slot + 1 < ring.capacitySpans ? slot + 1 : 0;
    }
    bookRemovedFromService(ring, service, { entry, spans: count - first, bytes });
    allBytes += bytes;
  }
  return allBytes;
}

function serviceAt(ring: RingMemory, slot: number): number {
  return ring.contextService[ring.slotContext[slot]!]!;
}

/** Evicts what is left of the oldest block, which frees its bytes. */
export function evictOldestBlock(ring: RingMemory): void {
  const first = ring.control[FIRST_SEQUENCE]!;
  assert(first < ring.control[NEXT_SEQUENCE]!, "there is an oldest block");
  removeOldest(ring, blockEndSequence(ring, blockOf(ring, first)) - first, EVICTED);
}
