import {
  afterTaken,
  settleUndeliverable,
  type Delivery,
  isTaken,
  outcomeOf,
  type Refusal,
  sizeOf,
} from "./delivery-state.ts";
import { failureOf, refusesAllSpans, type SendFailure } from "./send-failure.ts";
import { countOf, isInvalid, type Piece, takeApart } from "./suspects.ts";

/** After this many spans in a row are refused alone, the upstream may be refusing all spans. */
const MAX_UNEXPLAINED = 2;

/**
 * Maximum number of tries of a span whose refusals concern the upstream or the route (401, 404,
 * ...), each after a successful empty request. If one of several replicas is faulty, it gives such
 * answers at random. Then an empty request fails as often as a span, which ends the delivery
 * without a loss.
 */
const MAX_BLOCKED_TRIES = 8;

/**
 * Handles a refused piece. Returns a failure if sending must pause, or undefined if the rest of the
 * lease can be sent.
 */
export async function afterRefusal(
  delivery: Delivery,
  refusal: Refusal,
): Promise<SendFailure | undefined> {
  const { left, refused, suspects } = delivery;
  if (!delivery.isProbed) {
    const probed = await outcomeOf(() => delivery.probe());
    if (probed.outcome !== "delivered") return failureOf(probed);
    delivery.isProbed = true;
    // The cause may be gone; for example, there may be a new token.
    if (refusal.outcome === "blocked") return undefined;
  }
  const piece = left.at(-1)!;
  const { runs } = piece;
  if (isTriedAgain(piece, refusal)) return await tryAgain(delivery, piece);
  if (piece.isLastTry === true) settleUndeliverable(delivery, runs, refusal);
  left.pop();
  if (piece.isLastTry === true) return undefined;
  const parts = takeApart(suspects, piece);
  left.push(...parts.toReversed());
  delivery.refusals += 1;
  if (parts.length > 0) {
    delivery.takenApart = sizeOf(delivery, runs);
    return undefined;
  }
  refused.push({ runs, refusal, isInvalid: isInvalid(suspects, runs) });
  delivery.refusedSpans += countOf(runs);
  if (unexplained(delivery) < MAX_UNEXPLAINED) return undefined;
  const witnessed = await askWitness(delivery, refusal);
  return witnessed === "none left" ? undefined : witnessed;
}

function isTriedAgain({ isLastTry, blockedCount = 0 }: Piece, { outcome }: Refusal): boolean {
  return isLastTry === true && outcome === "blocked" && blockedCount < MAX_BLOCKED_TRIES;
}

/** Keeps the piece as the next to send, unless the upstream refuses an empty request too. */
async function tryAgain({ left, probe }: Delivery, piece: Piece): Promise<SendFailure | undefined> {
  const probed = await outcomeOf(() => probe(true));
  if (probed.outcome !== "delivered") return failureOf(probed);
  left[left.length - 1] = { ...piece, blockedCount: (piece.blockedCount ?? 0) + 1 };
  return undefined;
}

/** Counts the refused spans that have no invalid text, since the upstream last accepted a span. */
function unexplained({ refused }: Delivery): number {
  return refused.filter((each) => !each.isInvalid).length;
}

/** Settles the last refused spans, after which no span has been accepted yet. */
export async function settleRefused(delivery: Delivery): Promise<SendFailure | undefined> {
  const { refused, postponed, evidence } = delivery;
  const { refusal } = refused.at(-1)!;
  const isExplained = unexplained(delivery) === 0;
  const witnessed = isExplained ? "none left" : await askWitness(delivery, refusal);
  if (witnessed !== "none left") return witnessed;
  if (!isExplained && !evidence.takesSpans) return refusesAllSpans(refusal.message);
  const probed = await outcomeOf(() => delivery.probe());
  if (probed.outcome !== "delivered") return failureOf(probed);
  if (!isExplained) {
    evidence.takesSpans = false;
    postponed.push(...refused.splice(1).map(({ runs }) => ({ runs, isCut: true })));
  }
  afterTaken(delivery);
  return undefined;
}

/**
 * Sends another span. Returns a failure if sending must pause, or `none left` if there is no other
 * span.
 */
async function askWitness(
  delivery: Delivery,
  { message }: Refusal,
): Promise<SendFailure | "none left" | undefined> {
  const outcome = await delivery.witness();
  if (outcome === undefined) return "none left";
  if (outcome.outcome === "retry") return failureOf(outcome);
  if (!isTaken(outcome)) return refusesAllSpans(message);
  afterTaken(delivery);
  return undefined;
}
