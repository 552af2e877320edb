import type { SpanAmount } from "../../domain/ledger.ts";
import { assert } from "../../domain/assert.ts";
import { cutRequest } from "../../domain/wire/assemble.ts";
import { copyBuffered } from "./ring-hand-over.ts";
import { audit, recordDeparture, type Departure } from "./ring-ledger.ts";
import {
  DELIVERED,
  EVICTED,
  FIRST_FREE,
  FIRST_SEQUENCE,
  FREE,
  GONE,
  LEASED,
  type RingMemory,
  TAKEN,
  UNDELIVERABLE,
} from "./ring-memory.ts";
import { beginAt, newestFree, oldestFree, serviceAt, slotOf, slotsOf } from "./ring-removal.ts";
import { recordDepartureFromService } from "./ring-services.ts";
import type { Lease, LeasePart, Settlement } from "../../ports/trace-buffer.ts";

/**
 * Leases the oldest free spans, at least one; undefined if none is free. It copies before it marks,
 * so a failed copy leases nothing. Needs the lock.
 */
export function leaseOldest(ring: RingMemory, limit: SpanAmount): Lease | undefined {
  const wanted = oldestFree(ring, limit);
  const lease = leaseThese(ring, wanted);
  if (lease !== undefined) ring.control[FIRST_FREE] = wanted.at(-1)! + 1;
  return lease;
}

/**
 * Leases the newest free span, to learn how the upstream reacts to spans other than the oldest.
 * Needs the lock.
 */
export function leaseNewest(ring: RingMemory): Lease | undefined {
  return leaseThese(ring, newestFree(ring));
}

function leaseThese(ring: RingMemory, wanted: readonly number[]): Lease | undefined {
  if (wanted.length === 0) return undefined;
  const slots = slotsOf(ring, wanted);
  const copied = copyBuffered(ring, wanted);
  for (const slot of slots) ring.slotState[slot] = LEASED;
  return {
    ...copied,
    services: slots.map((slot) => serviceAt(ring, slot)),
    lengthBytes: slots.map((slot) => ring.slotLength[slot]!),
    settled: new Uint8Array(wanted.length),
  };
}

/** Returns the bytes of the encoded spans, without the messages around them. */
export function spanBytesOf({ lengthBytes }: Lease, { first, end }: LeasePart): number {
  return lengthBytes.subarray(first, end).reduce((sum, length) => sum + length, 0);
}

export function wholeLease({ sequences }: Lease): LeasePart {
  return { first: 0, end: sequences.length };
}

/**
 * Returns some spans of a lease as one request, for example when the whole is too large for the
 * upstream. Reads the lease only, so it needs no lock, and the spans may have left the ring.
 */
export function requestOfPart(
  lease: Lease,
  ...parts: readonly LeasePart[]
): Uint8Array<ArrayBuffer> {
  for (const part of parts) assertLiesIn(lease, part);
  return cutRequest(lease.request, ...parts);
}

function assertLiesIn({ sequences }: Lease, { first, end }: LeasePart): void {
  assert(first >= 0 && first <= end && end <= sequences.length, "a part lies in its lease");
}

const BOOKS = {
  delivered: DELIVERED,
  undeliverable: UNDELIVERABLE,
  returned: EVICTED,
  taken: TAKEN,
} as const;

/**
 * Settles these spans, each of them once. Returns how many of the returned spans had given up their
 * slots, are not kept elsewhere, and are now counted as evicted. Needs the lock.
 */
export function settle(
  ring: RingMemory,
  lease: Lease,
  part: LeasePart,
  settlement: Settlement | "taken",
): number {
  assertLiesIn(lease, part);
  const isReturned = settlement === "returned";
  const overtaken = releaseSlots(ring, lease, part, isReturned ? FREE : GONE);
  const departed = isReturned ? unkept(ring, lease, overtaken) : positionsOf(part);
  recordDeparted(ring, lease, departed, BOOKS[settlement]);
  beginAt(ring, ring.control[FIRST_SEQUENCE]!);
  audit(ring);
  return isReturned ? departed.length : 0;
}

/** Reports spans that no longer have a slot; returns those that are not kept elsewhere. */
function unkept({ spill }: RingMemory, lease: Lease, positions: number[]): number[] {
  if (spill === undefined) return positions;
  const { sequences, services, lengthBytes } = lease;
  return positions.filter((at) => {
    const [sequence, service] = [sequences[at]!, services[at]!];
    return !spill({ sequence, service, spans: 1, bytes: lengthBytes[at]! });
  });
}

function positionsOf({ first, end }: LeasePart): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index);
}

/** Marks the slots of these spans; returns the positions of spans that have no slot any more. */
function releaseSlots(
  ring: RingMemory,
  lease: Lease,
  { first, end }: LeasePart,
  mark: typeof FREE | typeof GONE,
): number[] {
  const overtaken: number[] = [];
  for (let position = first; position < end; position += 1) {
    assert(lease.settled[position] === 0, "a leased span is settled once");
    lease.settled[position] = 1;
    const sequence = lease.sequences[position]!;
    // Before the first sequence, the slot may belong to another span.
    if (sequence < ring.control[FIRST_SEQUENCE]!) overtaken.push(position);
    else markSlot(ring, sequence, mark);
  }
  return overtaken;
}

function markSlot(ring: RingMemory, sequence: number, mark: typeof FREE | typeof GONE): void {
  const { control, slotState } = ring;
  const slot = slotOf(ring, sequence);
  assert(slotState[slot] === LEASED, "a leased span that has its slot is marked there");
  slotState[slot] = mark;
  if (mark === FREE) control[FIRST_FREE] = Math.min(control[FIRST_FREE]!, sequence);
}

/**
 * Updates the ledger from the lease, because the spans may no longer be in the ring. Counts
 * neighbours of one service together.
 */
function recordDeparted(
  ring: RingMemory,
  { services, lengthBytes }: Lease,
  positions: readonly number[],
  entry: Departure,
): void {
  for (let at = 0; at < positions.length;) {
    const service = services[positions[at]!]!;
    const first = at;
    let bytes = 0;
    for (; at < positions.length && services[positions[at]!] === service; at += 1) {
      bytes += lengthBytes[positions[at]!]!;
    }
    const amount = { spans: at - first, bytes };
    recordDepartureFromService(ring, service, { entry, ...amount });
    recordDeparture(ring, entry, amount);
  }
}
