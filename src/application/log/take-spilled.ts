import { concatenate } from "../../domain/wire/assemble.ts";
import type { Lease, OldestSpans } from "../../ports/trace-buffer.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import { wholeLease } from "../ring/ring-lease.ts";
import { adoptLease, type DurableState, hold, settle } from "./spill-accounting.ts";

/** Limits each piece that is read from the disk for a taker. */
const MAX_PIECE_BYTES = 4 * 1024 * 1024;

/**
 * Takes spans from the disk, in pieces, and the rest from the ring; all of them or none. The disk
 * may have more than memory can hold, so it gives at most as many bytes as the ring may.
 */
export async function takeSpilled(state: DurableState, spanCount: number): Promise<OldestSpans> {
  const leftBytes = state.ring.stats().capacity.bytes;
  const taking: Taking = { leases: [], left: spanCount, leftBytes, rest: undefined };
  try {
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    while (taking.rest === undefined) await takePiece(state, taking);
  } catch (error) {
    for (const lease of taking.leases) settle(state, lease, wholly(lease, "returned"));
    throw error;
  }
  const taken = joined(taking.leases, taking.rest);
  // They are copied. Without this, a fast reader would fill memory with what it has taken.
  for (const { request } of [...taking.leases, taking.rest]) releaseOwnBuffer(request);
  return taken;
}

interface Taking {
  /** The pieces from the disk. */
  readonly leases: Lease[];
  /** The number of spans that are still wanted. */
  left: number;
  /** The bytes that the disk may still give. */
  leftBytes: number;
  /** The spans from the ring, which are taken last. */
  rest: OldestSpans | undefined;
}

async function takePiece(state: DurableState, taking: Taking): Promise<void> {
  if (taking.left < 1) return takeRest(state, taking);
  const bytes = Math.min(MAX_PIECE_BYTES, taking.leftBytes);
  await state.log!.lease({ spans: taking.left, bytes }, (spilled) => {
    if (spilled === undefined) return takeRest(state, taking);
    taking.leases.push(adoptLease(state, spilled));
    taking.leftBytes -= spilled.request.length;
    // The next spans are on the disk too.
    if (taking.leftBytes <= 0) taking.left = 0;
    else taking.left -= spilled.sequences.length;
  });
}

function takeRest(state: DurableState, taking: Taking): void {
  for (const lease of taking.leases) settle(state, lease, wholly(lease, "taken"));
  taking.rest = takeFromRing(state, taking.left);
}

function joined(leases: readonly Lease[], rest: OldestSpans): OldestSpans {
  return {
    request: concatenate([...leases, rest].map(({ request }) => request)),
    sequences: [...leases, rest].flatMap(({ sequences }) => sequences),
    range: { first: leases[0]?.sequences[0] ?? rest.range.first, next: nextAfter(leases, rest) },
  };
}

function wholly<Settled>(lease: Lease, settlement: Settled) {
  return { settlement, part: wholeLease(lease) };
}

function nextAfter(leases: readonly Lease[], rest: OldestSpans): number {
  const isFromDisk = rest.sequences.length === 0 && leases.length > 0;
  return isFromDisk ? leases.at(-1)!.sequences.at(-1)! + 1 : rest.range.next;
}

export function takeFromRing(state: DurableState, spanCount: number): OldestSpans {
  const { first, next } = state.ring.range();
  const limit = { spans: spanCount, bytes: Number.POSITIVE_INFINITY };
  const lease = hold(state, state.ring.lease(limit));
  if (lease === undefined) {
    const range = { first, next: spanCount > 0 ? next : first };
    return { request: new Uint8Array(0), sequences: [], range };
  }
  settle(state, lease, wholly(lease, "taken"));
  const { request, sequences } = lease;
  const isAll = sequences.length < spanCount;
  return { request, sequences, range: { first, next: isAll ? next : sequences.at(-1)! + 1 } };
}
