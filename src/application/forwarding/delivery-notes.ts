import type { SendOutcome } from "../../ports/span-sink.ts";
import type { Backlog } from "./backlog.ts";
import type { BatchSize, SizedBatch } from "./batch-size.ts";
import type { DeliveryRate } from "./delivery-rate.ts";
import type { DeliveryWatcher } from "./delivery-state.ts";
import type { ForwardFigures } from "./forward-status.ts";
import type { ForwardLog } from "./forward-log.ts";
import type { SendFailure } from "./send-failure.ts";
import type { Pass, UpstreamGate } from "./upstream-gate.ts";

/** The records that a delivery updates. */
export interface DeliveryNotes {
  readonly figures: ForwardFigures;
  readonly gate: UpstreamGate;
  readonly backlog: Backlog;
  readonly size: BatchSize;
  readonly rate: DeliveryRate;
  readonly log: ForwardLog;
  /** A cancelled batch says nothing about the upstream. */
  readonly cancelled: AbortSignal;
}

/** Returns a watcher that records the outcomes of the batch with this pass. */
export function notesOf(notes: DeliveryNotes, pass: Pass): DeliveryWatcher {
  const { figures, backlog, rate, log, size } = notes;
  let failedBatch: FailedBatch | undefined;
  return {
    sent: (outcome, batch) => {
      figures.batches[outcome.outcome] += 1;
      if (outcome.outcome === "retry") figures.retriedSpans += batch.spanCount;
      failedBatch = outcome.outcome === "retry" ? { outcome, batch } : undefined;
      noteSize(size, outcome, batch);
      if (isTaken(outcome)) noteSuccess(notes, pass);
      if (outcome.outcome === "delivered" && outcome.message !== undefined) {
        log.warned(outcome.message);
      }
    },
    delivered: (spanCount) => {
      figures.inFlightSpans -= spanCount;
      rate.note(spanCount);
    },
    undeliverable: (spanCount, reason, message) => {
      figures.inFlightSpans -= spanCount;
      figures.undeliverableSpans[reason] += spanCount;
      log.lost(spanCount, reason, message);
      // The upstream accepted another span after it had refused these.
      noteSuccess(notes, pass);
    },
    returned: (spanCount) => {
      figures.inFlightSpans -= spanCount;
      backlog.returned();
    },
    tooLarge: (batch) => size.seemsTooLarge(batch),
    failed: (failure) => {
      noteFailedSize(notes, pass, failedBatch);
      noteFailure(notes, pass, failure);
    },
  };
}

/** Reports whether an outcome shows that other batches can be sent. */
function isTaken({ outcome }: SendOutcome): boolean {
  return ["delivered", "partly_rejected", "too_large"].includes(outcome);
}

function noteSize(size: BatchSize, { outcome }: SendOutcome, batch: SizedBatch): void {
  if (outcome === "delivered" || outcome === "partly_rejected") size.passed(batch);
  // Whether a refusal is due to the size becomes clear when the batch is split.
  if (outcome === "too_large") size.tooLarge(batch);
}

interface FailedBatch {
  readonly outcome: Extract<SendOutcome, { outcome: "retry" }>;
  readonly batch: SizedBatch;
}

/**
 * Records a failure for the batch size. Concurrent batches that fail because an upstream is down
 * count as one failure.
 */
function noteFailedSize(
  { size, gate, cancelled }: DeliveryNotes,
  pass: Pass,
  failed: FailedBatch | undefined,
): void {
  if (failed === undefined || cancelled.aborted || !gate.isCurrent(pass)) return;
  size.failed(failed.batch, failed.outcome);
}

export function noteFailure(notes: DeliveryNotes, pass: Pass, failure: SendFailure): void {
  const { gate, log, cancelled } = notes;
  if (cancelled.aborted || !gate.isCurrent(pass)) return;
  gate.failed(pass, failure);
  log.failed(failure, gate.pauseLeftMs);
}

export function noteSuccess({ gate, log }: DeliveryNotes, pass: Pass): void {
  gate.succeeded(pass);
  if (gate.isOpen) log.succeeded();
}
