import type { RefusalReason } from "../../domain/refusal-reason.ts";
import type { SendOutcome } from "../../ports/span-sink.ts";
import type { Backlog } from "./backlog.ts";
import type { BatchSize } from "./batch-size.ts";
import type { DeliveryRate } from "./delivery-rate.ts";
import type { DeliveryWatcher } from "./delivery.ts";
import type { ForwardFigures } from "./forward-figures.ts";
import type { ForwardLog } from "./forward-log.ts";
import type { Pass, UpstreamGate } from "./upstream-gate.ts";

/**
 * Refusals that are meant for the sender and not for the batch: the next would be refused as well.
 * So one is lost for each pause, and not all that is buffered at once.
 */
const OF_THE_SENDER: ReadonlySet<RefusalReason> = new Set([
  "unauthenticated",
  "forbidden",
  "not_found",
  "unsupported",
  "redirected",
]);

/** All that is to know of a delivery. */
export interface DeliveryNotes {
  readonly figures: ForwardFigures;
  readonly gate: UpstreamGate;
  readonly backlog: Backlog;
  readonly size: BatchSize;
  readonly rate: DeliveryRate;
  readonly log: ForwardLog;
  /** What is given up says nothing of the upstream. */
  readonly cancelled: AbortSignal;
}

/** Notes what becomes of the batch that has this pass. */
export function notesOf(notes: DeliveryNotes, pass: Pass): DeliveryWatcher {
  const { figures, backlog, rate, log } = notes;
  return {
    sent: (outcome, { spanCount, requestBytes }) => {
      figures.batches[outcome.outcome] += 1;
      if (outcome.outcome === "retry") figures.retriedSpans += spanCount;
      if (outcome.outcome === "too_large") notes.size.tooLarge(requestBytes);
      if (isOfUpstream(outcome)) noteFailure(notes, pass, outcome);
      else noteSuccess(notes, pass);
    },
    delivered: (spanCount) => {
      figures.inFlightSpans -= spanCount;
      rate.note(spanCount);
    },
    undeliverable: (spanCount, reason, message) => {
      figures.inFlightSpans -= spanCount;
      figures.undeliverableSpans[reason] += spanCount;
      log.lost(spanCount, reason, message);
    },
    returned: (spanCount) => {
      figures.inFlightSpans -= spanCount;
      backlog.returned();
    },
  };
}

type Failure = Extract<SendOutcome, { outcome: "retry" | "refused" }>;

/** Whether the next batch would fare no better. */
function isOfUpstream(outcome: SendOutcome): outcome is Failure {
  if (outcome.outcome === "refused") return OF_THE_SENDER.has(outcome.reason);
  return outcome.outcome === "retry";
}

function noteFailure({ gate, log, cancelled }: DeliveryNotes, pass: Pass, failure: Failure): void {
  if (cancelled.aborted) return;
  gate.failed(pass, failure.outcome === "retry" ? failure.afterMs : undefined);
  log.failed(failure.message, gate.pauseLeftMs);
}

function noteSuccess({ gate, log, size }: DeliveryNotes, pass: Pass): void {
  gate.succeeded(pass);
  size.passed();
  if (gate.isOpen) log.succeeded();
}
