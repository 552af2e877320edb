import type { SendOutcome, SpanSink } from "../../ports/span-sink.ts";
import { spanBytesOf } from "../ring/ring-lease.ts";
import type { SizedBatch } from "./batch-size.ts";
import type { UndeliverableReason } from "./forward-status.ts";
import type { SendFailure } from "./send-failure.ts";
import {
  countOf,
  halvesOf,
  type Piece,
  piecesOf,
  type SpanRuns,
  splitRuns,
  type Suspects,
} from "./suspects.ts";
import type { Lease, LeaseSettler, Settlement } from "../../ports/trace-buffer.ts";

/** Is notified of the fate of a lease, part by part. */
export interface DeliveryWatcher {
  sent(outcome: SendOutcome, batch: SizedBatch): void;
  delivered(spanCount: number): void;
  undeliverable(spanCount: number, reason: UndeliverableReason, message: string): void;
  returned(spanCount: number): void;
  /** A batch was refused, and all parts of it were taken. */
  tooLarge(batch: SizedBatch): void;
  /** Nothing more is to be sent for now. */
  failed(failure: SendFailure): void;
}

/** Holds what all deliveries have learned of the upstream. */
export interface Evidence {
  /** It has taken a span since one was last given up for want of another to be asked about. */
  takesSpans: boolean;
}

export interface DeliveryParts {
  readonly buffer: LeaseSettler;
  readonly sink: Pick<SpanSink, "send">;
  readonly watcher: DeliveryWatcher;
  readonly cancelled: AbortSignal;
  readonly evidence: Evidence;
  /**
   * Sends an empty request, unless another batch has found meanwhile that nothing is to be sent.
   * The last try of a span continues anyway; otherwise two bad spans would block each other.
   */
  readonly probe: (isLastTry?: boolean) => Promise<SendOutcome>;
  /** Sends and settles a span outside the lease; resolves with undefined when none is free. */
  readonly witness: () => Promise<SendOutcome | undefined>;
}

export type Refusal = Extract<SendOutcome, { outcome: "refused" | "blocked" }>;

/** Spans of which none can be taken. */
export interface RefusedSpans {
  readonly runs: SpanRuns;
  readonly refusal: Refusal;
  readonly isInvalid: boolean;
}

/** Holds the progress of one lease. */
export interface Delivery extends DeliveryParts {
  readonly lease: Lease;
  /** To be sent; the next is the last. */
  readonly left: Piece[];
  /** Refused since the upstream last took a span. */
  readonly refused: RefusedSpans[];
  /** For another lease. */
  readonly postponed: Piece[];
  readonly suspects: Suspects;
  /** It took an empty request after it had refused a piece. */
  isProbed: boolean;
  refusals: number;
  refusedSpans: number;
  /** The smallest piece that was taken apart. */
  takenApart: SizedBatch | undefined;
}

export function sizeOf({ lease }: Delivery, runs: SpanRuns): SizedBatch {
  const spanBytes = runs.reduce((sum, run) => sum + spanBytesOf(lease, run), 0);
  return { spanCount: countOf(runs), spanBytes };
}

/** A sink that fails is at fault itself, and the spans are not. */
export async function outcomeOf(sending: () => Promise<SendOutcome>): Promise<SendOutcome> {
  try {
    return await sending();
  } catch (error) {
    return { outcome: "retry", message: `unexpected: ${String(error)}` };
  }
}

export type Taken = Extract<SendOutcome, { outcome: "delivered" | "partly_rejected" }>;

export function isTaken(outcome: SendOutcome): outcome is Taken {
  return outcome.outcome === "delivered" || outcome.outcome === "partly_rejected";
}

/** An upstream does not name the spans it rejects: the last ones count, so the number is right. */
export function bookTaken(delivery: Delivery, { runs }: Piece, outcome: Taken): void {
  const rejectedSpans = outcome.outcome === "delivered" ? 0 : outcome.rejectedSpans;
  const [kept, rejected] = splitRuns(runs, countOf(runs) - rejectedSpans);
  book(delivery, kept, "delivered");
  delivery.watcher.delivered(countOf(kept));
  if (outcome.outcome === "partly_rejected") {
    bookUndeliverable(delivery, rejected, { reason: "rejected", message: outcome.message });
  }
  delivery.left.pop();
  delivery.evidence.takesSpans = true;
  afterTaken(delivery);
}

export function bookTooLarge(delivery: Delivery, { runs }: Piece, message: string): void {
  const isOne = countOf(runs) === 1;
  if (isOne) bookUndeliverable(delivery, runs, { reason: "too_large", message });
  delivery.left.pop();
  if (!isOne) delivery.left.push(...piecesOf(...halvesOf(runs)).toReversed());
}

/**
 * Something else was taken after these had been refused. Invalid text explains that; the others are
 * tried once more, because the upstream may have refused everything then.
 */
export function afterTaken(delivery: Delivery): void {
  const { refused, left } = delivery;
  for (let last = refused.at(-1); last !== undefined; last = refused.at(-1)) {
    if (last.isInvalid) bookUndeliverable(delivery, last.runs, last.refusal);
    refused.pop();
    if (!last.isInvalid) left.push({ runs: last.runs, isCut: true, isLastTry: true });
  }
}

interface Loss {
  readonly reason: UndeliverableReason;
  readonly message: string;
}

export function bookUndeliverable(
  delivery: Delivery,
  runs: SpanRuns,
  { reason, message }: Loss,
): void {
  book(delivery, runs, "undeliverable");
  delivery.watcher.undeliverable(countOf(runs), reason, message);
}

export function giveBack(delivery: Delivery, runs: SpanRuns): void {
  book(delivery, runs, "returned");
  delivery.watcher.returned(countOf(runs));
}

function book({ buffer, lease }: Delivery, runs: SpanRuns, settlement: Settlement): void {
  for (const run of runs) buffer.settle(lease, settlement, run);
}
