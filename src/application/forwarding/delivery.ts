import type { SendOutcome } from "../../ports/span-sink.ts";
import { releaseBytes } from "../ring/release-bytes.ts";
import { requestOfPart, wholeLease } from "../ring/ring-lease.ts";
import {
  settleTaken,
  settleTooLarge,
  type Delivery,
  type DeliveryParts,
  returnSpans,
  isTaken,
  outcomeOf,
  sizeOf,
} from "./delivery-state.ts";
import { afterRefusal, settleRefused } from "./refusals.ts";
import { failureOf, type SendFailure } from "./send-failure.ts";
import type { Piece } from "./suspects.ts";
import type { Lease } from "../../ports/trace-buffer.ts";

/**
 * Number of refusals after which the rest of a lease is left to another. Narrowing down to one span
 * takes far fewer, so each lease makes progress.
 */
const MAX_REFUSALS = 64;

/**
 * Sends a lease and settles all of it, each span in exactly one way.
 *
 *   whole ──▶ delivered
 *     │ too large: halves, down to one span
 *     │ refused: does the upstream accept an empty request?
 *     ├── no: it refuses the sender, not the spans; all are returned
 *     └── yes: split until only spans that are refused alone are left
 *
 * A span is undeliverable only if it is refused alone, another span is accepted afterwards, and it
 * is then refused once more. Text that is not UTF-8 is a sufficient reason. So an upstream that
 * starts to refuse everything, or that accepts only empty requests, costs no span. The exception is
 * a refused span with no other span left to try: then one span accepted earlier is sufficient
 * evidence, once.
 *
 * `isProbed` is set if the upstream has just answered an empty request. The memory of each accepted
 * request is freed, including that of the lease.
 */
export async function deliver(parts: DeliveryParts, lease: Lease, isProbed = false): Promise<void> {
  const delivery = beginDelivery(parts, lease, isProbed);
  const { left, refused, postponed, watcher } = delivery;
  try {
    let failure: SendFailure | undefined;
    while (failure === undefined && left.length + refused.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- pieces are sent in order
      failure = await (left.length > 0 ? sendNext(delivery) : settleRefused(delivery));
      if (delivery.refusals >= MAX_REFUSALS) postpone(delivery);
    }
    if (failure !== undefined) watcher.failed(failure);
    else if (isOnlySizeRefused(delivery)) watcher.tooLarge(delivery.takenApart!);
  } finally {
    // Even after an internal error, unsettled spans are sent again by another lease.
    for (const { runs } of [...left, ...refused, ...postponed]) returnSpans(delivery, runs);
  }
}

function postpone({ left, postponed }: Delivery): void {
  const tries = left.splice(0);
  left.push(...tries.filter(({ isLastTry }) => isLastTry === true));
  postponed.push(...tries.filter(({ isLastTry }) => isLastTry !== true));
}

/**
 * Sends a lease once, as a whole, and returns the spans that are not accepted to the ring. Frees
 * the memory of its request if they are accepted.
 */
export async function offer(parts: DeliveryParts, lease: Lease): Promise<SendOutcome> {
  const delivery = beginDelivery(parts, lease, false);
  const [piece] = delivery.left as [Piece];
  try {
    const outcome = await send(delivery, piece);
    if (isTaken(outcome)) settleTaken(delivery, piece, outcome);
    return outcome;
  } finally {
    for (const { runs } of delivery.left) returnSpans(delivery, runs);
  }
}

function beginDelivery(parts: DeliveryParts, lease: Lease, isProbed: boolean): Delivery {
  return {
    ...parts,
    lease,
    left: [{ runs: [wholeLease(lease)], isCut: false }],
    refused: [],
    postponed: [],
    suspects: { request: lease.request, isStrict: false },
    isProbed,
    refusals: 0,
    refusedSpans: 0,
    takenApart: undefined,
  };
}

/** Sends the next piece. Returns a failure if sending must pause. */
async function sendNext(delivery: Delivery): Promise<SendFailure | undefined> {
  const { left } = delivery;
  const piece = left.at(-1)!;
  const outcome = await send(delivery, piece);
  switch (outcome.outcome) {
    case "retry":
      return failureOf(outcome);
    case "delivered":
    case "partly_rejected":
      settleTaken(delivery, piece, outcome);
      return undefined;
    case "too_large":
      settleTooLarge(delivery, piece, outcome.message);
      return undefined;
    case "refused":
    case "blocked":
      return await afterRefusal(delivery, outcome);
  }
}

async function send(delivery: Delivery, piece: Piece): Promise<SendOutcome> {
  const { lease, sink, watcher, cancelled } = delivery;
  const request = piece.isCut ? requestOfPart(lease, ...piece.runs) : lease.request;
  const batch = sizeOf(delivery, piece.runs);
  const { spanCount } = batch;
  const outcome = await outcomeOf(async () => await sink.send({ request, spanCount }, cancelled));
  watcher.sent(outcome, batch);
  // Nothing of an accepted batch is sent again, and the sink has let go of it.
  if (isTaken(outcome)) releaseBytes(request);
  return outcome;
}

function isOnlySizeRefused({ postponed, refusedSpans, takenApart }: Delivery): boolean {
  return postponed.length === 0 && refusedSpans === 0 && takenApart !== undefined;
}
