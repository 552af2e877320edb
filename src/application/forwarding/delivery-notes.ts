import type { SendOutcome } from "../../ports/span-sink.ts";
import type { Backlog } from "./backlog.ts";
import type { BatchSize, SizedBatch } from "./batch-size.ts";
import type { DeliveryRate } from "./delivery-rate.ts";
import type { DeliveryWatcher } from "./delivery.ts";
import type { ForwardFigures } from "./forward-figures.ts";
import type { ForwardLog } from "./forward-log.ts";
import type { Pass, UpstreamGate } from "./upstream-gate.ts";

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
    sent: (outcome, batch) => {
      figures.batches[outcome.outcome] += 1;
      if (outcome.outcome === "retry") figures.retriedSpans += batch.spanCount;
      noteSize(notes, outcome, batch);
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

function noteSize({ size, cancelled }: DeliveryNotes, outcome: SendOutcome, batch: SizedBatch) {
  if (outcome.outcome === "too_large") size.tooLarge(batch);
  else if (outcome.outcome !== "retry") size.passed(batch);
  else if (outcome.isTimeout === true && !cancelled.aborted) size.late(batch);
}

type Failure = Extract<SendOutcome, { outcome: "retry" | "refused" }>;

/**
 * Whether the next batch may fare no better, as when the sender is not let in. Of a refusal only
 * one that calls the batch itself invalid is none: so one batch is lost for each pause, and not all
 * that is buffered at once.
 */
function isOfUpstream(outcome: SendOutcome): outcome is Failure {
  if (outcome.outcome === "refused") return outcome.reason !== "invalid";
  return outcome.outcome === "retry";
}

function noteFailure({ gate, log, cancelled }: DeliveryNotes, pass: Pass, failure: Failure): void {
  if (cancelled.aborted) return;
  gate.failed(pass, failure.outcome === "retry" ? failure.afterMs : undefined);
  log.failed(failure.message, gate.pauseLeftMs);
}

function noteSuccess({ gate, log }: DeliveryNotes, pass: Pass): void {
  gate.succeeded(pass);
  if (gate.isOpen) log.succeeded();
}
