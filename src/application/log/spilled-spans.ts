import type { SpanAmount } from "../../domain/ledger.ts";
import { assert } from "../../domain/assert.ts";
import type { ServiceSpans } from "../ring/ring-services.ts";

interface Amount {
  spans: number;
  bytes: number;
}

/**
 * Counts the spans that are on disk only and not leased, by segment and service, so that a removed
 * segment can be accounted for without reading it. A segment is known by its first sequence.
 *
 * Invariant: `total` is the sum of all amounts, and none of them is zero.
 */
export class SpilledSpans {
  private readonly segments = new Map<number, Map<number, Amount>>();
  private readonly sum: Amount = { spans: 0, bytes: 0 };

  get total(): SpanAmount {
    return { ...this.sum };
  }

  get isEmpty(): boolean {
    return this.sum.spans === 0;
  }

  add(segment: number, added: ServiceSpans): void {
    const services = this.segments.getOrInsertComputed(segment, () => new Map<number, Amount>());
    addTo(services, added);
    this.count(added, 1);
  }

  /** Removes spans that have been added. */
  remove(segment: number, removed: ServiceSpans): void {
    removeFrom(this.segments, segment, removed);
    this.count(removed, -1);
  }

  /** Returns the spans of a segment by service. */
  inSegment(segment: number): ServiceSpans[] {
    return listOf(this.segments.get(segment) ?? new Map<number, Amount>());
  }

  /** Removes all spans of a segment, and returns them by service. */
  removeSegment(segment: number): ServiceSpans[] {
    const removed = this.inSegment(segment);
    for (const each of removed) this.remove(segment, each);
    return removed;
  }

  /** Removes all spans, and returns them by service. */
  clear(): ServiceSpans[] {
    return [...this.segments.keys()].flatMap((segment) => this.removeSegment(segment));
  }

  private count({ spans, bytes }: SpanAmount, sign: 1 | -1): void {
    this.sum.spans += sign * spans;
    this.sum.bytes += sign * bytes;
  }
}

function addTo(services: Map<number, Amount>, { service, spans, bytes }: ServiceSpans): void {
  const amount = services.getOrInsertComputed(service, () => ({ spans: 0, bytes: 0 }));
  amount.spans += spans;
  amount.bytes += bytes;
}

function removeFrom(
  segments: Map<number, Map<number, Amount>>,
  segment: number,
  { service, spans, bytes }: ServiceSpans,
): void {
  const services = segments.get(segment);
  const amount = services?.get(service);
  assert(services !== undefined && amount !== undefined, "removed spans have been added");
  amount.spans -= spans;
  amount.bytes -= bytes;
  assert(amount.spans >= 0 && amount.bytes >= 0, "no more spans are removed than were added");
  if (amount.spans === 0) services.delete(service);
  if (services.size === 0) segments.delete(segment);
}

function listOf(services: ReadonlyMap<number, Amount>): ServiceSpans[] {
  return [...services].map(([service, { spans, bytes }]) => ({ service, spans, bytes }));
}

/** Adds up the spans from one position to another, each with its service and length. */
export function sumByService(
  services: Uint32Array,
  lengths: Uint32Array,
  first: number,
  end: number,
): ServiceSpans[] {
  const sums = new Map<number, Amount>();
  for (let at = first; at < end;) {
    const service = services[at]!;
    const from = at;
    let bytes = 0;
    for (; at < end && services[at] === service; at += 1) bytes += lengths[at]!;
    addTo(sums, { service, spans: at - from, bytes });
  }
  return listOf(sums);
}
