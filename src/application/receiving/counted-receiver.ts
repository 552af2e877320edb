import { FAULT_KINDS } from "../../domain/span-validity.ts";
import type { Clock } from "../../ports/clock.ts";
import { Histogram } from "./histogram.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";

/** What the receiver did with the request before; it makes the counts of each receiver's own. */
export interface ReceivedAmounts {
  acceptedSpans: number;
  acceptedBytes: number;
  rejectedSpans: number;
  rejectedBytes: number;
  /** To make room for it. */
  evictedSpans: number;
  /** Spans with each fault; see `domain/span-validity.ts`. */
  readonly rejectedByFault: Float64Array;
  readonly rejectedBytesByFault: Float64Array;
  /** When the checks were over, and the request was about to be put in. */
  appendBegunMs: number;
}

export function zeroAmounts(): ReceivedAmounts {
  return {
    acceptedSpans: 0,
    acceptedBytes: 0,
    rejectedSpans: 0,
    rejectedBytes: 0,
    evictedSpans: 0,
    rejectedByFault: new Float64Array(FAULT_KINDS),
    rejectedBytesByFault: new Float64Array(FAULT_KINDS),
    appendBegunMs: 0,
  };
}

export type Outcome = Receipt["outcome"];

/** A record, so that an outcome which is not counted does not compile. */
const NO_REQUESTS: Readonly<Record<Outcome, number>> = {
  accepted: 0,
  partly_rejected: 0,
  malformed: 0,
  too_large: 0,
  refused: 0,
  stopping: 0,
  failed: 0,
};

/** Powers of four from 256 B to 16 MiB: the largest request over HTTP is 20 MiB, unless changed. */
const REQUEST_BYTES = Array.from({ length: 9 }, (_, power) => 256 * 4 ** power);
const RECEIVE_SECONDS = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1];

interface CountedParts {
  /** Of which `amounts` are those of its last request. */
  readonly receiver: TraceReceiver & { readonly amounts: ReceivedAmounts };
  readonly clock: Clock;
  /** Spans were evicted to make room for a request. */
  readonly evicted: (spanCount: number) => void;
}

/**
 * A receiver of one protocol, around the one receiver: it counts what came in by that protocol. It
 * costs a request three looks at the clock (one of them in the receiver) and a dozen additions, and
 * nothing is allocated.
 */
export class CountedReceiver implements TraceReceiver {
  // Fixed at construction.
  private readonly parts: CountedParts;

  // Moved by `receive`.
  readonly requests: Readonly<Record<Outcome, number>> = { ...NO_REQUESTS };
  readonly bytesByOutcome: Readonly<Record<Outcome, number>> = { ...NO_REQUESTS };
  readonly total: ReceivedAmounts = zeroAmounts();
  readonly requestBytes = new Histogram(REQUEST_BYTES);
  readonly receiveSeconds = new Histogram(RECEIVE_SECONDS);
  /** Of the requests of which something was kept. */
  readonly appendSeconds = new Histogram(RECEIVE_SECONDS);

  constructor(parts: CountedParts) {
    this.parts = parts;
  }

  receive(request: Uint8Array): Receipt {
    const begunMs = this.parts.clock.monotonicMs();
    const receipt = this.parts.receiver.receive(request);
    this.time(receipt, begunMs);
    this.count(receipt, request.length);
    return receipt;
  }

  turnedAway(outcome: "malformed" | "too_large" | "failed"): void {
    (this.requests as Record<Outcome, number>)[outcome] += 1;
  }

  private time(receipt: Receipt, begunMs: number): void {
    const endedMs = this.parts.clock.monotonicMs();
    this.receiveSeconds.observe((endedMs - begunMs) / 1000);
    if (!isKept(receipt)) return;
    this.appendSeconds.observe((endedMs - this.parts.receiver.amounts.appendBegunMs) / 1000);
  }

  private count(receipt: Receipt, requestBytes: number): void {
    (this.requests as Record<Outcome, number>)[receipt.outcome] += 1;
    (this.bytesByOutcome as Record<Outcome, number>)[receipt.outcome] += requestBytes;
    this.requestBytes.observe(requestBytes);
    if (isKept(receipt)) this.countKept(this.parts.receiver.amounts);
  }

  private countKept(amounts: ReceivedAmounts): void {
    addTo(this.total, amounts);
    if (amounts.evictedSpans > 0) this.parts.evicted(amounts.evictedSpans);
  }
}

function isKept({ outcome }: Receipt): boolean {
  return outcome === "accepted" || outcome === "partly_rejected";
}

function addTo(total: ReceivedAmounts, amounts: ReceivedAmounts): void {
  total.acceptedSpans += amounts.acceptedSpans;
  total.acceptedBytes += amounts.acceptedBytes;
  total.evictedSpans += amounts.evictedSpans;
  // Most requests end here.
  if (amounts.rejectedSpans === 0) return;
  total.rejectedSpans += amounts.rejectedSpans;
  total.rejectedBytes += amounts.rejectedBytes;
  for (let fault = 0; fault < FAULT_KINDS; fault += 1) {
    total.rejectedByFault[fault]! += amounts.rejectedByFault[fault]!;
    total.rejectedBytesByFault[fault]! += amounts.rejectedBytesByFault[fault]!;
  }
}
