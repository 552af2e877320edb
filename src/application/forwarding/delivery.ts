import type { SendOutcome } from "../../ports/span-sink.ts";
import { requestOfPart, wholeLease } from "../ring/ring-lease.ts";
import {
  bookTaken,
  bookTooLarge,
  type Delivery,
  type DeliveryParts,
  giveBack,
  isTaken,
  outcomeOf,
  sizeOf,
} from "./delivery-state.ts";
import { afterRefusal, settleRefused } from "./refusals.ts";
import { failureOf, type SendFailure } from "./send-failure.ts";
import type { Piece } from "./suspects.ts";
import type { Lease } from "../../ports/trace-buffer.ts";

/**
 * Refusals of one lease, after which the rest is left to another. The way down to one span takes
 * far fewer, so each lease gets on.
 */
const MAX_REFUSALS = 64;

/**
 * Sends what is leased and settles all of it, each span in exactly one way.
 *
 *   whole ──▶ delivered
 *     │ too large: halves, down to one span
 *     │ refused: does the upstream take an empty request?
 *     ├── no: it refuses the sender, not the spans. All are returned.
 *     └── yes: it is taken apart until only what is refused alone is left
 *
 * A span is undeliverable only when it is refused alone, another span is taken after that, and it
 * is refused once more. Text that is not UTF-8 explains a refusal by itself. So an upstream that
 * comes to refuse everything meanwhile, or that takes nothing but empty requests, costs no span; or
 * one, when no other span is there to be tried: then the last that was taken will do, once.
 *
 * `isProbed`: the upstream has just answered an empty request.
 */
export async function deliver(parts: DeliveryParts, lease: Lease, isProbed = false): Promise<void> {
  const delivery = beginDelivery(parts, lease, isProbed);
  const { left, refused, postponed, watcher } = delivery;
  try {
    let failure: SendFailure | undefined;
    while (failure === undefined && left.length + refused.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- in the order in which they were accepted
      failure = await (left.length > 0 ? sendNext(delivery) : settleRefused(delivery));
      if (delivery.refusals >= MAX_REFUSALS) postpone(delivery);
    }
    if (failure !== undefined) watcher.failed(failure);
    else if (isOnlySizeRefused(delivery)) watcher.tooLarge(delivery.takenApart!);
  } finally {
    // Also after a fault of ours: what is not settled is sent again, by another lease.
    for (const { runs } of [...left, ...refused, ...postponed]) giveBack(delivery, runs);
  }
}

function postpone({ left, postponed }: Delivery): void {
  const tries = left.splice(0);
  left.push(...tries.filter(({ isLastTry }) => isLastTry === true));
  postponed.push(...tries.filter(({ isLastTry }) => isLastTry !== true));
}

/** Sends a lease once, as a whole, and returns to the ring what is not taken. */
export async function offer(parts: DeliveryParts, lease: Lease): Promise<SendOutcome> {
  const delivery = beginDelivery(parts, lease, false);
  const [piece] = delivery.left as [Piece];
  try {
    const outcome = await send(delivery, piece);
    if (isTaken(outcome)) bookTaken(delivery, piece, outcome);
    return outcome;
  } finally {
    for (const { runs } of delivery.left) giveBack(delivery, runs);
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

/** Returns why nothing more is to be sent, if so. */
async function sendNext(delivery: Delivery): Promise<SendFailure | undefined> {
  const { left } = delivery;
  const piece = left.at(-1)!;
  const outcome = await send(delivery, piece);
  switch (outcome.outcome) {
    case "retry":
      return failureOf(outcome);
    case "delivered":
    case "partly_rejected":
      bookTaken(delivery, piece, outcome);
      return undefined;
    case "too_large":
      bookTooLarge(delivery, piece, outcome.message);
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
  return outcome;
}

function isOnlySizeRefused({ postponed, refusedSpans, takenApart }: Delivery): boolean {
  return postponed.length === 0 && refusedSpans === 0 && takenApart !== undefined;
}
