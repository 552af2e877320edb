import { assert } from "../../domain/assert.ts";
import { type Receipt, zeroAmounts } from "../../domain/receipt.ts";
import { keepWalk, restoreWalk } from "../../domain/wire/kept-walk.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import { NO_FAULT } from "../../domain/wire/walk-fault.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { AppendOutcome, LogRequest } from "../log/log-state.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import {
  cutRejected,
  faultReceipt,
  LARGER_THAN_RING,
  logProfiles,
  type ReceiveParts,
  receiverState,
  type ReceiverState,
  refusal,
  type Rejection,
  setAmounts,
  STOPPING,
  store,
} from "./receive-traces.ts";

export interface DurableReceiveParts extends ReceiveParts {
  /** Writes a request to the disk, and then calls its `stored`, which puts it into the buffer. */
  readonly log: (request: LogRequest) => Promise<AppendOutcome>;
  /** Returns the time of arrival. */
  readonly unixMs: () => number;
}

/** Receives like `ReceiveTraces`, but answers only once the spans are as safe as promised. */
export class ReceiveDurably implements TraceReceiver {
  private readonly parts: DurableReceiveParts;
  private readonly work: ReceiverState;
  private isStopping = false;

  constructor(parts: DurableReceiveParts) {
    this.parts = parts;
    this.work = receiverState(parts);
  }

  receive(request: Uint8Array): Receipt | Promise<Receipt> {
    if (this.isStopping) return STOPPING;
    return receiveRequest(this.work, request, this.parts);
  }

  /** Answers every later request with `stopping`. */
  stop(): void {
    this.isStopping = true;
  }
}

function receiveRequest(
  work: ReceiverState,
  request: Uint8Array,
  parts: DurableReceiveParts,
): Receipt | Promise<Receipt> {
  const { walked } = work;
  walkRequest(walked, request);
  if (walked.fault !== NO_FAULT) return faultReceipt(walked);
  if (walked.sawProfilesOnlyField) logProfiles(work);
  const rejection = walked.rejectedSpans === 0 ? undefined : cutRejected(walked);
  if (walked.spanCount === 0) return store(work, rejection);
  return storeLater(work, rejection, parts);
}

/**
 * Stores the spans once they are on the disk. The request is copied, because the listener reuses
 * its memory; the walk is kept, because others are walked meanwhile.
 */
async function storeLater(
  { walked }: ReceiverState,
  rejection: Rejection | undefined,
  parts: DurableReceiveParts,
): Promise<Receipt> {
  const { spanCount, spanBytes } = walked;
  const bytes = rejection === undefined ? new Uint8Array(walked.request) : rejection.valid;
  const kept = keepWalk(walked);
  const amounts = { ...zeroAmounts(), appendStartMs: parts.clock.monotonicMs() };
  const stored = (): void => {
    if (kept === undefined) walkRequest(walked, bytes);
    else restoreWalk(walked, kept, bytes);
    const appended = parts.buffer.append(walked, rejection?.byService);
    parts.appended?.();
    assert(appended.outcome === "accepted", "the ring has room for a logged request");
    setAmounts(amounts, walked, { evictedSpans: appended.evictedSpans, rejection });
  };
  const request = { bytes, spanCount, spanBytes, unixMs: parts.unixMs(), stored };
  const logged = await parts.log(request);
  releaseOwnBuffer(bytes);
  if (logged.outcome === "too_large") return LARGER_THAN_RING;
  if (logged.outcome === "refused") return refusal(parts, spanCount, logged.message);
  if (logged.outcome === "failed") return logged;
  if (rejection !== undefined) return { ...rejection.receipt, amounts };
  return { outcome: "accepted", amounts };
}
