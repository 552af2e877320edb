import { everySpan } from "../../domain/wire/request-spans.ts";
import type { Lease, LeasePart, Settlement } from "../../ports/trace-buffer.ts";
import type { ObservabilityBuffer } from "../ring/observability-buffer.ts";
import { NEXT_SEQUENCE, type SpilledRun } from "../ring/ring-memory.ts";
import { evictBefore } from "../ring/ring-removal.ts";
import { recordSpilledDeparture, type ServiceSpans, spanServices } from "../ring/ring-services.ts";
import type { LogLease } from "./lease-spans.ts";
import { FoundSpans } from "./found-spans.ts";
import type { FoundDamage } from "./log-state.ts";
import type { SequenceRange } from "./sequence-ranges.ts";
import type { SpanLog } from "./span-log.ts";
import { SpilledSpans } from "./spilled-spans.ts";
import { sumByService } from "./spilled-spans.ts";

/**
 * Holds a ring, its log, and what is in the log only.
 *
 * Invariant: buffered spans of the ring's ledger = free spans in the ring + leased spans + spilled
 * spans. Every spilled span is older than those in the ring.
 */
export interface DurableState {
  // Fixed at construction.
  readonly ring: ObservabilityBuffer;
  readonly spilled: SpilledSpans;
  /** The spans that the start has found; used until the log is attached. */
  readonly found: FoundSpans;

  // Set by `attach`.
  log: SpanLog | undefined;
}

export function newDurableState(ring: ObservabilityBuffer): DurableState {
  const restored = { found: new FoundSpans(ring), spilled: new SpilledSpans() };
  return { ring, log: undefined, ...restored };
}

/** Counts spans that have left the ring to make room; returns false if the log has lost them. */
export function keepSpilled({ log, spilled }: DurableState, run: SpilledRun): boolean {
  const extent = log?.extentOf(run.sequence);
  if (extent === undefined) return false;
  spilled.add(extent.first, run);
  return true;
}

/** Makes a lease of spilled spans one that the ring can settle. */
export function adoptLease({ log, spilled }: DurableState, stored: LogLease): Lease {
  const { request, sequences, lengthBytes, services } = stored;
  for (let at = 0; at < sequences.length;) {
    const { first, end } = log!.extentOf(sequences[at]!)!;
    const from = at;
    while (at < sequences.length && sequences[at]! < end) at += 1;
    const inSegment = sumByService(services, lengthBytes, from, at);
    for (const each of inSegment) spilled.remove(first, each);
  }
  return { request, sequences, services, lengthBytes, settled: new Uint8Array(sequences.length) };
}

/**
 * Evicts the spans of a segment that is removed to make room on the disk. An empty one, which a
 * failure leaves behind, begins where the next segment does, so it would be taken for that.
 */
export function evictSegment({ ring, spilled }: DurableState, { first, end }: SequenceRange): void {
  if (first === end) return;
  const evicted = spilled.removeSegment(first);
  ring.locked((memory) => {
    recordSpilledDeparture(memory, "evicted", evicted);
    evictBefore(memory, Math.min(end, memory.control[NEXT_SEQUENCE]!));
  });
}

/** Evicts the spilled spans of a damaged segment that cannot be read. */
export function evictDamaged(state: DurableState, { firstSequence, left }: FoundDamage): void {
  const { ring, spilled } = state;
  const before = spilled.removeSegment(firstSequence);
  for (const { request, spanCount, ranges } of left) {
    const table = everySpan({ bytes: request, offset: 0, length: request.length }, spanCount);
    const services = ring.locked((memory) => spanServices(memory, { ...table, request }));
    for (const { first, end } of ranges) {
      const readable = sumByService(services, table.spanLength, first, end);
      for (const each of readable) spilled.add(firstSequence, each);
    }
  }
  const after = new Map(spilled.inSegment(firstSequence).map((each) => [each.service, each]));
  const lost = before.map((each) => difference(each, after.get(each.service)));
  ring.locked((memory) => recordSpilledDeparture(memory, "evicted", lost));
}

function difference(before: ServiceSpans, after: ServiceSpans | undefined): ServiceSpans {
  const { service, spans, bytes } = before;
  return { service, spans: spans - (after?.spans ?? 0), bytes: bytes - (after?.bytes ?? 0) };
}

/** Takes every free span; returns their number. */
export function clearAll({ ring, log, spilled }: DurableState): number {
  const { spans } = spilled.total;
  const taken = spilled.clear();
  ring.locked((memory) => recordSpilledDeparture(memory, "taken", taken));
  log?.clear();
  return spans + ring.clear();
}

/**
 * Returns how full the log is; while the disk fails, how full memory is with spans that are in
 * memory only, if that is more.
 */
export function usedShare({ ring, log }: DurableState): number {
  if (log === undefined) return 0;
  if (!log.isMemoryOnly()) return log.usedShare();
  const { spans, bytes, capacity } = ring.stats();
  const logged = log.stats();
  return Math.max(
    log.usedShare(),
    (spans.buffered - logged.spans.buffered) / capacity.spans,
    (bytes.buffered - logged.bytes.buffered) / capacity.bytes,
  );
}

/** Leases in the log what was leased in the ring. */
export function hold<Held extends Lease | undefined>({ log }: DurableState, lease: Held): Held {
  if (lease !== undefined) log?.hold(lease);
  return lease;
}

/** Settles leased spans in the ring and in the log; returns how many were evicted meanwhile. */
export function settle(
  { ring, log }: DurableState,
  lease: Lease,
  how: { readonly settlement: Settlement | "taken"; readonly part: LeasePart },
): number {
  const { settlement, part } = how;
  const evictedSpans = ring.settle(lease, settlement, part);
  log?.settleHeld(lease, settlement, part);
  return evictedSpans;
}
