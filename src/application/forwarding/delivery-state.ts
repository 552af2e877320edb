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

/** Receives the outcomes of a lease, part by part. */
export interface DeliveryWatcher {
  sent(outcome: SendOutcome, batch: SizedBatch): void;
  delivered(spanCount: number): void;
  undeliverable(spanCount: number, reason: UndeliverableReason, message: string): void;
  returned(spanCount: number): void;
  /** A batch was refused, but all its parts were accepted. */
  tooLarge(batch: SizedBatch): void;
  /** Sending must pause. */
  failed(failure: SendFailure): void;
}

/** Holds what all deliveries have learned about the upstream. */
export interface Evidence {
  /** Whether the upstream has accepted a span since one was last given up without a witness. */
  takesSpans: boolean;
}

export interface DeliveryParts {
  readonly buffer: LeaseSettler;
  readonly sink: Pick<SpanSink, "send">;
  readonly watcher: DeliveryWatcher;
  readonly cancelled: AbortSignal;
  readonly evidence: Evidence;
  /**
   * Sends an empty request, unless another batch has closed the gate in the meantime. The last try
   * of a span continues anyway; otherwise two bad spans would block each other.
   */
  readonly probe: (isLastTry?: boolean) => Promise<SendOutcome>;
  /** Sends and settles a span outside the lease. Resolves to undefined if none is free. */
  readonly witness: () => Promise<SendOutcome | undefined>;
}

export type Refusal = Extract<SendOutcome, { outcome: "refused" | "blocked" }>;

/** Refused spans that cannot be split any further. */
export interface RefusedSpans {
  readonly runs: SpanRuns;
  readonly refusal: Refusal;
  readonly isInvalid: boolean;
}

/** Holds the progress of one lease. */
export interface Delivery extends DeliveryParts {
  readonly lease: Lease;
  /** Pieces to be sent, the next one last. */
  readonly left: Piece[];
  /** Spans refused since the upstream last accepted one. */
  readonly refused: RefusedSpans[];
  /** Pieces left to another lease. */
  readonly postponed: Piece[];
  readonly suspects: Suspects;
  /** Whether the upstream accepted an empty request after it had refused a piece. */
  isProbed: boolean;
  refusals: number;
  refusedSpans: number;
  /** The smallest piece that has been split. */
  takenApart: SizedBatch | undefined;
}

export function sizeOf({ lease }: Delivery, runs: SpanRuns): SizedBatch {
  const spanBytes = runs.reduce((sum, run) => sum + spanBytesOf(lease, run), 0);
  return { spanCount: countOf(runs), spanBytes };
}

/** Turns an exception of the sink into a retry: the sink is at fault, not the spans. */
export async function outcomeOf(sending: () => Promise<SendOutcome>): Promise<SendOutcome> {
  try {
    return await sending();
  } catch (error) {
    return { outcome: "retry", message: `unexpected: ${String(error)}` };
  }
}

export type TakenOutcome = Extract<SendOutcome, { outcome: "delivered" | "partly_rejected" }>;

export function isTaken(outcome: SendOutcome): outcome is TakenOutcome {
  return outcome.outcome === "delivered" || outcome.outcome === "partly_rejected";
}

/**
 * Settles an accepted piece. The upstream does not name the spans it rejected, so the last ones are
 * counted as rejected.
 */
export function settleTaken(delivery: Delivery, { runs }: Piece, outcome: TakenOutcome): void {
  const rejectedSpans = outcome.outcome === "delivered" ? 0 : outcome.rejectedSpans;
  const [accepted, rejected] = splitRuns(runs, countOf(runs) - rejectedSpans);
  settle(delivery, accepted, "delivered");
  delivery.watcher.delivered(countOf(accepted));
  if (outcome.outcome === "partly_rejected") {
    settleUndeliverable(delivery, rejected, { reason: "rejected", message: outcome.message });
  }
  delivery.left.pop();
  delivery.evidence.takesSpans = true;
  afterTaken(delivery);
}

export function settleTooLarge(delivery: Delivery, { runs }: Piece, message: string): void {
  const isOne = countOf(runs) === 1;
  if (isOne) settleUndeliverable(delivery, runs, { reason: "too_large", message });
  delivery.left.pop();
  if (!isOne) delivery.left.push(...piecesOf(...halvesOf(runs)).toReversed());
}

/**
 * Handles the spans that were refused before the upstream accepted another. Invalid text explains a
 * refusal. Spans without it are tried once more, because the upstream may have refused everything
 * at that time.
 */
export function afterTaken(delivery: Delivery): void {
  const { refused, left } = delivery;
  for (let last = refused.at(-1); last !== undefined; last = refused.at(-1)) {
    if (last.isInvalid) settleUndeliverable(delivery, last.runs, last.refusal);
    refused.pop();
    if (!last.isInvalid) left.push({ runs: last.runs, isCut: true, isLastTry: true });
  }
}

interface Loss {
  readonly reason: UndeliverableReason;
  readonly message: string;
}

export function settleUndeliverable(
  delivery: Delivery,
  runs: SpanRuns,
  { reason, message }: Loss,
): void {
  settle(delivery, runs, "undeliverable");
  delivery.watcher.undeliverable(countOf(runs), reason, message);
}

export function returnSpans(delivery: Delivery, runs: SpanRuns): void {
  settle(delivery, runs, "returned");
  delivery.watcher.returned(countOf(runs));
}

function settle({ buffer, lease }: Delivery, runs: SpanRuns, settlement: Settlement): void {
  for (const run of runs) buffer.settle(lease, settlement, run);
}
