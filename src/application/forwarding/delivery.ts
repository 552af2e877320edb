import type { SendOutcome, SpanSink } from "../../ports/span-sink.ts";
import type { ObservabilityBuffer } from "../observability-buffer.ts";
import {
  type Lease,
  type LeasePart,
  requestOfPart,
  spanBytesOf,
  wholeLease,
} from "../ring-lease.ts";
import type { SizedBatch } from "./batch-size.ts";
import type { UndeliverableReason } from "./forward-figures.ts";

/** Told of what becomes of a lease, part by part. */
export interface DeliveryWatcher {
  sent(outcome: SendOutcome, batch: SizedBatch): void;
  delivered(spanCount: number): void;
  undeliverable(spanCount: number, reason: UndeliverableReason, message: string): void;
  returned(spanCount: number): void;
}

export interface DeliveryParts {
  readonly buffer: Pick<ObservabilityBuffer, "settle">;
  readonly sink: Pick<SpanSink, "send">;
  readonly watcher: DeliveryWatcher;
  readonly cancelled: AbortSignal;
}

/**
 * Sends what is leased, and settles all of it: each span in exactly one way. What is too large is
 * sent in halves, one after the other, down to one span.
 */
export async function deliver(parts: DeliveryParts, lease: Lease): Promise<void> {
  // The next to be sent is the last: of two halves the first.
  const left = [wholeLease(lease)];
  try {
    for (let part = left.at(-1); part !== undefined; part = left.at(-1)) {
      // oxlint-disable-next-line no-await-in-loop -- in the order in which they were accepted
      const outcome = await send(parts, lease, part);
      if (outcome.outcome === "retry") break;
      const rest = settle(parts, lease, { part, outcome });
      left.pop();
      left.push(...rest);
    }
  } finally {
    // Also after a fault of ours: what was not sent is sent again, by another lease.
    for (const part of left) giveBack(parts, lease, part);
  }
}

async function send(
  { sink, watcher, cancelled }: DeliveryParts,
  lease: Lease,
  part: LeasePart,
): Promise<SendOutcome> {
  const request = requestOfPart(lease, part);
  const spanCount = sizeOf(part);
  const outcome = await outcomeOf(async () => await sink.send({ request, spanCount }, cancelled));
  watcher.sent(outcome, { spanCount, spanBytes: spanBytesOf(lease, part) });
  return outcome;
}

/** A sink that fails is at fault itself, and the spans are not. */
async function outcomeOf(sending: () => Promise<SendOutcome>): Promise<SendOutcome> {
  try {
    return await sending();
  } catch (error) {
    return { outcome: "retry", message: `unexpected: ${String(error)}` };
  }
}

interface Sent {
  readonly part: LeasePart;
  readonly outcome: Exclude<SendOutcome, { outcome: "retry" }>;
}

/** Answers what is left of the part to be sent, the last first. */
function settle(parts: DeliveryParts, lease: Lease, { part, outcome }: Sent): LeasePart[] {
  switch (outcome.outcome) {
    case "delivered":
      book(parts, lease, part);
      return [];
    case "partly_rejected":
      bookPartly(parts, lease, part, outcome);
      return [];
    case "too_large":
      if (sizeOf(part) > 1) return halvesOf(part).toReversed();
      bookUndeliverable(parts, lease, { part, reason: "too_large", message: outcome.message });
      return [];
    case "refused":
      bookUndeliverable(parts, lease, { part, ...outcome });
      return [];
  }
}

function book({ buffer, watcher }: DeliveryParts, lease: Lease, part: LeasePart): void {
  buffer.settle(lease, "delivered", part);
  watcher.delivered(sizeOf(part));
}

/** Which ones were rejected is not told: the last are booked so, and the number is right. */
function bookPartly(
  parts: DeliveryParts,
  lease: Lease,
  { first, end }: LeasePart,
  { rejectedSpans, message }: Extract<SendOutcome, { outcome: "partly_rejected" }>,
): void {
  const firstRejected = Math.max(first, end - rejectedSpans);
  book(parts, lease, { first, end: firstRejected });
  const part = { first: firstRejected, end };
  bookUndeliverable(parts, lease, { part, reason: "rejected", message });
}

interface Loss {
  readonly part: LeasePart;
  readonly reason: UndeliverableReason;
  readonly message: string;
}

function bookUndeliverable(
  { buffer, watcher }: DeliveryParts,
  lease: Lease,
  { part, reason, message }: Loss,
): void {
  buffer.settle(lease, "undeliverable", part);
  watcher.undeliverable(sizeOf(part), reason, message);
}

function giveBack({ buffer, watcher }: DeliveryParts, lease: Lease, part: LeasePart): void {
  buffer.settle(lease, "returned", part);
  watcher.returned(sizeOf(part));
}

function halvesOf({ first, end }: LeasePart): LeasePart[] {
  const middle = first + Math.ceil((end - first) / 2);
  return [
    { first, end: middle },
    { first: middle, end },
  ];
}

function sizeOf({ first, end }: LeasePart): number {
  return end - first;
}
