import { explainRejection } from "../../domain/span-validity.ts";
import { assembleRequest } from "../../domain/wire/assemble.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import {
  explainFault,
  NO_FAULT,
  TOO_MANY_SPANS,
  unknownFields,
} from "../../domain/wire/walk-fault.ts";
import {
  createWalkedRequest,
  type WalkedRequest,
  type WalkLimits,
  rejectedByService,
} from "../../domain/wire/walked-request.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { zeroAmounts, type ReceivedAmounts } from "./counted-receiver.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { Appended, ServiceAmount } from "../../domain/buffered-spans.ts";
import type { SpanAppender } from "../../ports/trace-buffer.ts";

export interface ReceiveParts {
  readonly buffer: SpanAppender;
  readonly limits: WalkLimits;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called after each append, before anybody is told what it has evicted. */
  readonly appended?: (() => void) | undefined;
  /**
   * When there may be room for so many spans, in whole milliseconds: a forwarder knows how fast it
   * drains the ring. Undefined where nothing does.
   */
  readonly roomAfterMs?: ((spanCount: number) => number | undefined) | undefined;
}

type Faults = Pick<WalkedRequest, "rejectedByFault" | "rejectedBytesByFault">;
type FaultReceipt = Extract<Receipt, { outcome: "malformed" | "too_large" }>;

const ACCEPTED: Receipt = { outcome: "accepted" };
const EMPTY: Receipt = { outcome: "accepted", isEmpty: true };
const STOPPING: Receipt = { outcome: "stopping", message: "spanring is shutting down; send again" };
const LARGER_THAN_RING: FaultReceipt = {
  outcome: "too_large",
  message: "the request is larger than the whole buffer; send smaller batches",
};
const REFUSED = "the buffer is full and OVERFLOW_POLICY is refuse; send again later";
/** Where nothing knows when there is room. */
const RETRY_AFTER_MS = 1_000;

/** Walks a request, and puts its valid spans into the buffer. Nothing of it is kept elsewhere. */
export class ReceiveTraces implements TraceReceiver {
  // Fixed at construction.
  private readonly parts: ReceiveParts;
  private readonly walked: WalkedRequest;

  // Moved by `receive`: of the last request that was accepted, in whole or in part.
  readonly amounts: ReceivedAmounts = zeroAmounts();

  // Moved by `stop`, and by the first request with a field for profiles.
  private isStopping = false;
  private hasToldOfProfiles = false;

  constructor(parts: ReceiveParts) {
    this.parts = parts;
    this.walked = createWalkedRequest(parts.limits);
  }

  receive(request: Uint8Array): Receipt {
    if (this.isStopping) return STOPPING;
    walkRequest(this.walked, request);
    if (this.walked.fault !== NO_FAULT) return faultReceipt(this.walked);
    if (this.walked.sawProfilesOnlyField) this.tellOfProfiles();
    return this.walked.rejectedSpans === 0 ? this.keep(successOf(this.walked)) : this.keepValid();
  }

  /** From now on every request is told to come back later. */
  stop(): void {
    this.isStopping = true;
  }

  /** The rejected spans are cut out before the block is made: what is in the ring is valid. */
  private keepValid(): Receipt {
    const receipt = partlyRejected(this.walked);
    noteFaults(this.amounts, this.walked);
    const rejected = rejectedByService(this.walked);
    return this.keepCopy(validSpansOf(this.walked), () => this.keep(receipt, rejected));
  }

  /** The copy is in the ring afterwards, or nowhere. */
  private keepCopy(valid: Uint8Array, keep: () => Receipt): Receipt {
    walkRequest(this.walked, valid);
    const receipt = keep();
    releaseOwnBuffer(valid);
    return receipt;
  }

  private keep(success: Receipt, rejected?: readonly ServiceAmount[]): Receipt {
    const appended = this.append(rejected);
    if (appended.outcome === "too_large") return LARGER_THAN_RING;
    if (appended.outcome === "refused") return this.refuse();
    noteAmounts(this.amounts, this.walked, { rejected, evictedSpans: appended.evictedSpans });
    return success;
  }

  private append(rejected?: readonly ServiceAmount[]): Appended {
    this.amounts.appendBegunMs = this.parts.clock.monotonicMs();
    const appended = this.parts.buffer.append(this.walked, rejected);
    this.parts.appended?.();
    return appended;
  }

  private refuse(): Receipt {
    const retryAfterMs = this.parts.roomAfterMs?.(this.walked.spanCount) ?? RETRY_AFTER_MS;
    return { outcome: "refused", message: REFUSED, retryAfterMs };
  }

  private tellOfProfiles(): void {
    if (this.hasToldOfProfiles) return;
    this.hasToldOfProfiles = true;
    this.parts.logger.warning("profiles_only_field_seen", { read_as: "absent" });
  }
}

interface AppendedAmounts {
  readonly rejected: readonly ServiceAmount[] | undefined;
  readonly evictedSpans: number;
}

/** The faults are noted before: the spans that have them are no longer in what was walked. */
function noteAmounts(
  amounts: ReceivedAmounts,
  { spanCount, spanBytes }: WalkedRequest,
  { rejected, evictedSpans }: AppendedAmounts,
): void {
  amounts.acceptedSpans = spanCount;
  amounts.acceptedBytes = spanBytes;
  amounts.rejectedSpans = amounts.rejectedBytes = 0;
  amounts.evictedSpans = evictedSpans;
  // Most requests end here, and nothing is allocated for them.
  if (rejected === undefined) return forgetFaults(amounts);
  for (const { spans, bytes } of rejected) {
    amounts.rejectedSpans += spans;
    amounts.rejectedBytes += bytes;
  }
}

function noteFaults(amounts: ReceivedAmounts, faults: Faults): void {
  amounts.rejectedByFault.set(faults.rejectedByFault);
  amounts.rejectedBytesByFault.set(faults.rejectedBytesByFault);
}

function forgetFaults(amounts: ReceivedAmounts): void {
  amounts.rejectedByFault.fill(0);
  amounts.rejectedBytesByFault.fill(0);
}

function faultReceipt(walked: WalkedRequest): FaultReceipt {
  const { spansPerRequest } = walked.limits;
  if (walked.fault === TOO_MANY_SPANS) {
    const message = `more than ${spansPerRequest} spans in one request; send smaller batches`;
    return { outcome: "too_large", message };
  }
  const where = explainFault(walked.fault, walked.faultOffsetBytes);
  return { outcome: "malformed", message: `not an ExportTraceServiceRequest: ${where}` };
}

/** An empty request is right: exporters find out with it whether somebody listens. */
function successOf({ spanCount, request }: WalkedRequest): Receipt {
  if (spanCount > 0) return ACCEPTED;
  const unknown = unknownFields(request).join(", ");
  if (unknown === "") return EMPTY;
  return { outcome: "accepted", isEmpty: true, unknown: `unknown fields: ${unknown}` };
}

function partlyRejected({ rejectedSpans, rejectedByFault }: WalkedRequest): Receipt {
  const message = explainRejection(rejectedSpans, rejectedByFault);
  return { outcome: "partly_rejected", rejectedSpans, message };
}

function validSpansOf(walked: WalkedRequest): Uint8Array {
  const { request } = walked;
  if (walked.spanCount === 0) return new Uint8Array(0);
  return assembleRequest({ bytes: request, offset: 0, length: request.length }, walked);
}
