import type { ServiceAmount, SpanAmount } from "../../domain/ledger.ts";
import { assert } from "../../domain/assert.ts";
import { traceTail } from "../../domain/query/filter-key.ts";
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from "../../domain/span-validity.ts";
import { NO_FAULT } from "../../domain/wire/walk-fault.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import { audit, record, recordDeparture, usedSlots } from "./ring-ledger.ts";
import {
  ACCEPTED,
  BUFFERED_BYTES,
  BUFFERED_SPANS,
  EVICTED,
  FIRST_SEQUENCE,
  NEXT_SEQUENCE,
  RECEIVED,
  REJECTED,
  type RingMemory,
} from "./ring-memory.ts";
import { blockOf, evictOldestBlock, makeRoomBefore, slotOf, spillRun } from "./ring-removal.ts";
import {
  forEachRun,
  recordAcceptedByService,
  recordRejectedByService,
  servicesOf,
} from "./ring-services.ts";
import type { AppendResult } from "../../ports/trace-buffer.ts";

export interface AppendRequest {
  /** A request that was walked without a fault and has only valid spans. */
  readonly walked: WalkedRequest;
  /** The amounts of spans that were cut out of the request. */
  readonly rejected: readonly ServiceAmount[];
  readonly mayEvict: boolean;
  /** The time of arrival. */
  readonly unixMs: number;
}

const NO_OFFSET = -1;

/** The size of the smallest request: a span with its two identifiers, in its three messages. */
const SMALLEST_BLOCK_BYTES = 2 + 2 + 2 + (2 + TRACE_ID_BYTES) + (2 + SPAN_ID_BYTES);

/**
 * Copies a request into the arena as one block, and indexes its spans. Needs the lock.
 *
 * Invariant: next sequence = first sequence + used slots, and used slots <= capacity.
 */
export function append(ring: RingMemory, request: AppendRequest): AppendResult {
  const { walked, mayEvict } = request;
  assert(walked.fault === NO_FAULT, "the walk of an appended request has no fault");
  assert(walked.spanCount * walked.rejectedSpans === 0, "no rejected span is in a block");
  if (walked.request.length > ring.capacityBytes) return { outcome: "too_large" };
  if (!mayEvict && walked.spanCount > ring.capacitySpans) return { outcome: "too_large" };
  if (!mayEvict && !hasRoom(ring, amountOf(walked))) return { outcome: "refused" };
  const evictedBefore = ring.control[EVICTED]!;
  if (walked.spanCount > 0) addBlock(ring, request, makeRoom(ring, walked));
  recordRejected(ring, request);
  audit(ring);
  return { outcome: "accepted", evictedSpans: ring.control[EVICTED]! - evictedBefore };
}

/** Reports whether a request of this many spans and bytes would evict nothing. Needs the lock. */
export function hasRoom(ring: RingMemory, { spans, bytes }: SpanAmount): boolean {
  if (spans === 0) return true;
  const hasSlots = usedSlots(ring) + spans <= ring.capacitySpans;
  return hasSlots && offsetFor(ring, bytes) !== NO_OFFSET;
}

function amountOf({ spanCount, request }: WalkedRequest): SpanAmount {
  return { spans: spanCount, bytes: request.length };
}

/** Reports whether the smallest span would evict another: no slot or no bytes are free. */
export function isFull(ring: RingMemory): boolean {
  const hasSlot = usedSlots(ring) < ring.capacitySpans;
  return !hasSlot || offsetFor(ring, SMALLEST_BLOCK_BYTES) === NO_OFFSET;
}

/** Evicts the oldest spans until the block fits; returns its offset in the arena. */
function makeRoom(ring: RingMemory, walked: WalkedRequest): number {
  const excess = Math.min(usedSlots(ring), usedSlots(ring) + walked.spanCount - ring.capacitySpans);
  if (excess > 0) makeRoomBefore(ring, ring.control[FIRST_SEQUENCE]! + excess);
  let offset = offsetFor(ring, walked.request.length);
  for (; offset === NO_OFFSET; offset = offsetFor(ring, walked.request.length))
    evictOldestBlock(ring);
  return offset;
}

/**
 * Returns the offset at which a block of this length fits without evicting anything.
 *
 *   |....BBBBBBBBCCCCDDDD......|  one run of blocks: after it, or before it if that is too short
 *        ^oldest         ^end
 *   |DDDDDD........BBBBCCCC~~~~|  blocks wrapped around: in the gap
 *          ^end    ^oldest
 */
function offsetFor(ring: RingMemory, lengthBytes: number): number {
  if (usedSlots(ring) === 0) return 0;
  const oldest = oldestOffset(ring);
  const end = newestEnd(ring);
  if (end <= oldest) return oldest - end >= lengthBytes ? end : NO_OFFSET;
  if (ring.capacityBytes - end >= lengthBytes) return end;
  return oldest >= lengthBytes ? 0 : NO_OFFSET;
}

/**
 * Returns the used bytes of the arena: all but the free range for the next blocks. Needs the lock.
 */
export function usedBytes(ring: RingMemory): number {
  if (usedSlots(ring) === 0) return 0;
  const lengthBytes = newestEnd(ring) - oldestOffset(ring);
  return lengthBytes > 0 ? lengthBytes : ring.capacityBytes + lengthBytes;
}

/**
 * Returns the used share of the slots or of the arena, whichever is larger, from 0 to 1. The ledger
 * cannot be used for this, because it counts leased spans that have already given up their slots.
 * Needs the lock.
 */
export function usedShare(ring: RingMemory): number {
  return Math.max(usedSlots(ring) / ring.capacitySpans, usedBytes(ring) / ring.capacityBytes);
}

function oldestOffset(ring: RingMemory): number {
  return ring.blockOffset[blockOf(ring, ring.control[FIRST_SEQUENCE]!)]!;
}

function newestEnd(ring: RingMemory): number {
  const newest = blockOf(ring, ring.control[NEXT_SEQUENCE]! - 1);
  return ring.blockOffset[newest]! + ring.blockLength[newest]!;
}

/**
 * Counts a request as accepted whose spans are all kept elsewhere. Older spans make room for it, so
 * that those in the ring are the newest. Needs the lock.
 */
export function appendSpilled(ring: RingMemory, { walked, unixMs }: AppendRequest): AppendResult {
  const next = ring.control[NEXT_SEQUENCE]!;
  makeRoomBefore(ring, next);
  recordSpilling(ring, walked, {
    services: servicesOf(ring, walked),
    firstRow: walked.spanCount,
    unixMs,
  });
  audit(ring);
  return { outcome: "accepted", evictedSpans: 0 };
}

/**
 * Adds the block and its spans. A request of more spans than slots keeps its newest: spans before
 * `firstRow` are counted as accepted and evicted, or kept elsewhere, and never get a slot.
 */
function addBlock(ring: RingMemory, { walked, unixMs }: AppendRequest, offset: number): void {
  const firstRow = Math.max(0, walked.spanCount - ring.capacitySpans);
  const { context, block } = unusedRows(ring);
  const services = servicesOf(ring, walked);
  ring.arena.set(walked.request, offset);
  ring.blockOffset[block] = offset;
  ring.blockLength[block] = walked.request.length;
  ring.blockFirstSequence[block] = ring.control[NEXT_SEQUENCE]!;
  ring.blockSpans[block] = walked.spanCount;
  ring.blockUnixMs[block] = unixMs;
  addContexts(ring, walked, { offset, firstRow, context, block, services });
  addSlots(ring, walked, { offset, firstRow, context });
  if (ring.spill !== undefined) {
    recordSpilling(ring, walked, { services, firstRow, unixMs });
    return;
  }
  recordAccepted(ring, walked, firstRow);
  recordAcceptedByService(ring, { walked, services, skippedSpans: firstRow, unixMs });
}

/** Counts a request, and reports its spans before `firstRow`, which have no slot, as spilled. */
function recordSpilling(
  ring: RingMemory,
  walked: WalkedRequest,
  row: { readonly services: Uint32Array; readonly firstRow: number; readonly unixMs: number },
): void {
  const { services, firstRow, unixMs } = row;
  let sequence = ring.control[NEXT_SEQUENCE]!;
  recordAccepted(ring, walked, 0);
  ring.control[FIRST_SEQUENCE]! += firstRow;
  recordAcceptedByService(ring, { walked, services, skippedSpans: 0, unixMs });
  forEachRun({ walked, services }, firstRow, (service, { spans, bytes }) => {
    spillRun(ring, { sequence, service, spans, bytes });
    sequence += spans;
  });
}

function unusedRows(ring: RingMemory): { context: number; block: number } {
  if (usedSlots(ring) === 0) return { context: 0, block: 0 };
  const newest = ring.slotContext[slotOf(ring, ring.control[NEXT_SEQUENCE]! - 1)]!;
  return { context: rowAfter(ring, newest), block: rowAfter(ring, ring.contextBlock[newest]!) };
}

interface ContextRows {
  readonly offset: number;
  readonly firstRow: number;
  readonly context: number;
  readonly block: number;
  readonly services: Uint32Array;
}

function addContexts(ring: RingMemory, walked: WalkedRequest, to: ContextRows): void {
  let row = to.context;
  for (let from = walked.spanContext[to.firstRow]!; from < walked.contextCount; from += 1) {
    ring.contextBlock[row] = to.block;
    ring.contextService[row] = to.services[from]!;
    ring.resourceOffset[row] = to.offset + walked.resourceOffset[from]!;
    ring.resourceLength[row] = walked.resourceLength[from]!;
    ring.scopeOffset[row] = to.offset + walked.scopeOffset[from]!;
    ring.scopeLength[row] = walked.scopeLength[from]!;
    // Computed when first needed, which is only if a block is copied in part.
    ring.spansEnd[row] = 0;
    row = rowAfter(ring, row);
  }
}

/** The hot loop of an append: writes four words for each span. */
function addSlots(
  ring: RingMemory,
  walked: WalkedRequest,
  to: Pick<ContextRows, "offset" | "firstRow" | "context">,
): void {
  const { slotOffset, slotLength, slotContext, slotTraceTail, capacitySpans } = ring;
  const { request, spanTraceId } = walked;
  let slot = slotOf(ring, ring.control[NEXT_SEQUENCE]! + to.firstRow);
  let row = to.context;
  let from = walked.spanContext[to.firstRow]!;
  for (let span = to.firstRow; span < walked.spanCount; span += 1) {
    // A context has at least one span, so the next span belongs to this context or the next one.
    if (walked.spanContext[span] !== from) {
      from = walked.spanContext[span]!;
      row = rowAfter(ring, row);
    }
    slotOffset[slot] = to.offset + walked.spanOffset[span]!;
    slotLength[slot] = walked.spanLength[span]!;
    slotContext[slot] = row;
    slotTraceTail[slot] = traceTail(request, spanTraceId[span]!);
    slot = slot + 1 < capacitySpans ? slot + 1 : 0;
  }
}

function recordRejected(ring: RingMemory, { rejected, unixMs }: AppendRequest): void {
  for (const amount of rejected) {
    record(ring, RECEIVED, amount);
    record(ring, REJECTED, amount);
  }
  recordRejectedByService(ring, rejected, unixMs);
}

function recordAccepted(ring: RingMemory, walked: WalkedRequest, firstRow: number): void {
  const accepted = { spans: walked.spanCount, bytes: walked.spanBytes };
  const skipped = { spans: firstRow, bytes: bytesBefore(walked, firstRow) };
  ring.control[NEXT_SEQUENCE]! += accepted.spans;
  ring.control[FIRST_SEQUENCE]! += skipped.spans;
  ring.control[BUFFERED_SPANS]! += accepted.spans;
  ring.control[BUFFERED_BYTES]! += accepted.bytes;
  record(ring, RECEIVED, accepted);
  record(ring, ACCEPTED, accepted);
  recordDeparture(ring, EVICTED, skipped);
}

function bytesBefore(walked: WalkedRequest, row: number): number {
  return walked.spanLength.subarray(0, row).reduce((total, length) => total + length, 0);
}

/** Returns the next row of contexts or blocks, which wrap around like slots. */
function rowAfter(ring: RingMemory, row: number): number {
  return row + 1 < ring.capacitySpans ? row + 1 : 0;
}
