import type { ServiceAmount } from "../../domain/ledger.ts";
import { type Receipt, type ReceivedAmounts, zeroAmounts } from "../../domain/receipt.ts";
import { explainRejection } from "../../domain/span-validity.ts";
import { assembleRequest } from "../../domain/wire/assemble.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import {
  explainFault,
  NO_FAULT,
  TOO_MANY_FIELDS,
  TOO_MANY_SPANS,
  unknownFields,
} from "../../domain/wire/walk-fault.ts";
import {
  createWalkedRequest,
  rejectedByService,
  type WalkedRequest,
  type WalkLimits,
} from "../../domain/wire/walked-request.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { SpanAppender } from "../../ports/trace-buffer.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";

export interface ReceiveParts {
  readonly buffer: SpanAppender;
  readonly limits: WalkLimits;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called after each append, before the evictions that it caused are reported. */
  readonly appended?: (() => void) | undefined;
  /**
   * Estimates when this many spans will fit, in whole milliseconds. A forwarder knows how fast it
   * drains the ring; without one, there is no estimate.
   */
  readonly roomAfterMs?: ((spanCount: number) => number | undefined) | undefined;
}

/** Walks requests and appends their valid spans to the buffer. It keeps no part of a request. */
export class ReceiveTraces implements TraceReceiver {
  private readonly work: ReceiverState;
  private isStopping = false;

  constructor(parts: ReceiveParts) {
    this.work = receiverState(parts);
  }

  receive(request: Uint8Array): Receipt {
    return this.isStopping ? STOPPING : receiveRequest(this.work, request);
  }

  /** Answers every later request with `stopping`. */
  stop(): void {
    this.isStopping = true;
  }
}

export interface ReceiverState {
  // Fixed at construction.
  readonly parts: ReceiveParts;
  readonly accepted: Receipt;

  // Overwritten by each request. All requests share one of each, so a typical request allocates
  // nothing.
  readonly walked: WalkedRequest;
  readonly amounts: ReceivedAmounts;

  // Set by the first request with a field for profiles.
  hasLoggedProfiles: boolean;
}

export function receiverState(parts: ReceiveParts): ReceiverState {
  const amounts = zeroAmounts();
  const accepted = { outcome: "accepted", amounts } as const;
  const walked = createWalkedRequest(parts.limits);
  return { parts, walked, amounts, accepted, hasLoggedProfiles: false };
}

function receiveRequest(work: ReceiverState, request: Uint8Array): Receipt {
  const { walked } = work;
  walkRequest(walked, request);
  if (walked.fault !== NO_FAULT) return faultReceipt(walked);
  if (walked.sawProfilesOnlyField) logProfiles(work);
  return store(work, walked.rejectedSpans === 0 ? undefined : cutRejected(walked));
}

/** Appends the walked request to the ring. */
export function store(work: ReceiverState, rejection: Rejection | undefined): Receipt {
  const { parts, walked, amounts } = work;
  amounts.appendStartMs = parts.clock.monotonicMs();
  const appended = parts.buffer.append(walked, rejection?.byService);
  parts.appended?.();
  // By now, the ring has copied the valid spans or refused them.
  if (rejection !== undefined) releaseOwnBuffer(rejection.valid);
  if (appended.outcome === "too_large") return LARGER_THAN_RING;
  if (appended.outcome === "refused") return refusal(parts, walked.spanCount, REFUSED);
  setAmounts(amounts, walked, { evictedSpans: appended.evictedSpans, rejection });
  if (rejection !== undefined) return { ...rejection.receipt, amounts };
  return walked.spanCount > 0 ? work.accepted : emptyReceipt(work);
}

export const STOPPING: Receipt = {
  outcome: "stopping",
  message: "spanring is shutting down; retry later",
};
export const LARGER_THAN_RING: Receipt = {
  outcome: "too_large",
  message: "the request is larger than the whole buffer; send smaller batches",
};
const TOO_MANY_FIELDS_RECEIPT: Receipt = {
  outcome: "too_large",
  message: "too many fields in one request; send smaller batches",
};
const REFUSED = "the buffer is full and OVERFLOW_POLICY is refuse; retry later";
/** The default if there is no estimate. */
const RETRY_AFTER_MS = 1_000;

export function faultReceipt(walked: WalkedRequest): Receipt {
  const { spansPerRequest } = walked.limits;
  if (walked.fault === TOO_MANY_SPANS) {
    const message = `more than ${spansPerRequest} spans in one request; send smaller batches`;
    return { outcome: "too_large", message };
  }
  if (walked.fault === TOO_MANY_FIELDS) return TOO_MANY_FIELDS_RECEIPT;
  const where = explainFault(walked.fault, walked.faultOffsetBytes);
  return { outcome: "malformed", message: `not an ExportTraceServiceRequest: ${where}` };
}

export function logProfiles(work: ReceiverState): void {
  if (work.hasLoggedProfiles) return;
  work.hasLoggedProfiles = true;
  work.parts.logger.warning("profiles_only_field_seen", { read_as: "absent" });
}

/** The rejected spans of a request, and a request with the remaining ones. */
export interface Rejection extends Pick<WalkedRequest, "rejectedByFault" | "rejectedBytesByFault"> {
  readonly receipt: {
    readonly outcome: "partly_rejected";
    readonly rejectedSpans: number;
    readonly message: string;
  };
  readonly byService: readonly ServiceAmount[];
  readonly valid: Uint8Array;
}

/**
 * Cuts the rejected spans out before the append, so that everything in the ring is valid. Leaves
 * `walked` at the request of valid spans, so it copies the counts of faults first.
 */
export function cutRejected(walked: WalkedRequest): Rejection {
  const { rejectedSpans, rejectedByFault, rejectedBytesByFault } = walked;
  const message = explainRejection(rejectedSpans, rejectedByFault);
  const rejection = {
    receipt: { outcome: "partly_rejected", rejectedSpans, message },
    byService: rejectedByService(walked),
    rejectedByFault: rejectedByFault.slice(),
    rejectedBytesByFault: rejectedBytesByFault.slice(),
    valid: validSpansOf(walked),
  } as const;
  walkRequest(walked, rejection.valid);
  return rejection;
}

function validSpansOf(walked: WalkedRequest): Uint8Array {
  const { request } = walked;
  if (walked.spanCount === 0) return new Uint8Array(0);
  return assembleRequest({ bytes: request, offset: 0, length: request.length }, walked);
}

export function refusal(
  { roomAfterMs }: ReceiveParts,
  spanCount: number,
  message: string,
): Receipt {
  return { outcome: "refused", message, retryAfterMs: roomAfterMs?.(spanCount) ?? RETRY_AFTER_MS };
}

export function setAmounts(
  amounts: ReceivedAmounts,
  { spanCount, spanBytes }: WalkedRequest,
  stored: { readonly evictedSpans: number; readonly rejection: Rejection | undefined },
): void {
  amounts.acceptedSpans = spanCount;
  amounts.acceptedBytes = spanBytes;
  amounts.evictedSpans = stored.evictedSpans;
  if (stored.rejection !== undefined) setRejected(amounts, stored.rejection);
  else if (amounts.rejectedSpans > 0) clearRejected(amounts);
}

function setRejected(amounts: ReceivedAmounts, rejection: Rejection): void {
  amounts.rejectedSpans = rejection.receipt.rejectedSpans;
  amounts.rejectedBytes = rejection.byService.reduce((total, { bytes }) => total + bytes, 0);
  amounts.rejectedByFault.set(rejection.rejectedByFault);
  amounts.rejectedBytesByFault.set(rejection.rejectedBytesByFault);
}

function clearRejected(amounts: ReceivedAmounts): void {
  amounts.rejectedSpans = amounts.rejectedBytes = 0;
  amounts.rejectedByFault.fill(0);
  amounts.rejectedBytesByFault.fill(0);
}

/**
 * Returns the receipt of an empty request, which is valid: exporters send one to find out whether a
 * receiver is listening.
 */
function emptyReceipt({ walked, amounts }: ReceiverState): Receipt {
  const unknown = unknownFields(walked.request).join(", ");
  if (unknown === "") return { outcome: "accepted", amounts, isEmpty: true };
  return { outcome: "accepted", amounts, isEmpty: true, unknown: `unknown fields: ${unknown}` };
}
