import { assert } from "../../domain/assert.ts";
import { type Receipt, type ReceivedAmounts, zeroAmounts } from "../../domain/receipt.ts";
import { FAULT_KINDS } from "../../domain/span-validity.ts";
import type { Clock } from "../../ports/clock.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";

type Outcome = Receipt["outcome"];

/** This is a record, so that an outcome without a counter does not compile. */
const NO_REQUESTS: Readonly<Record<Outcome, number>> = {
  accepted: 0,
  partly_rejected: 0,
  malformed: 0,
  too_large: 0,
  refused: 0,
  stopping: 0,
  failed: 0,
};

/** Powers of four from 256 B to 16 MiB: the default limit of a request over HTTP is 20 MiB. */
const REQUEST_BYTES = Array.from({ length: 9 }, (_, power) => 256 * 4 ** power);
const RECEIVE_SECONDS = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1];

interface CountedParts {
  readonly receiver: TraceReceiver;
  readonly clock: Clock;
  /** Called when spans were evicted to make room for a request. */
  readonly evicted: (spanCount: number) => void;
}

/**
 * Counts the requests of one protocol and passes them to the receiver that all protocols share. A
 * request costs three clock readings (one of them in the receiver) and a dozen additions, and no
 * allocation.
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
  /** Covers requests that were stored, in whole or in part. */
  readonly appendSeconds = new Histogram(RECEIVE_SECONDS);

  constructor(parts: CountedParts) {
    this.parts = parts;
  }

  receive(request: Uint8Array): Receipt | Promise<Receipt> {
    const startMs = this.parts.clock.monotonicMs();
    const receipt = this.parts.receiver.receive(request);
    if (receipt instanceof Promise) return this.noteLater(receipt, startMs, request.length);
    return this.note(receipt, startMs, request.length);
  }

  /** Counts a request that a listener refused before there was a receipt. */
  turnedAway(outcome: "malformed" | "too_large" | "failed"): void {
    (this.requests as Record<Outcome, number>)[outcome] += 1;
  }

  private async noteLater(
    receipt: Promise<Receipt>,
    startMs: number,
    requestBytes: number,
  ): Promise<Receipt> {
    return this.note(await receipt, startMs, requestBytes);
  }

  private note(receipt: Receipt, startMs: number, requestBytes: number): Receipt {
    this.time(receipt, startMs);
    this.count(receipt, requestBytes);
    return receipt;
  }

  private time(receipt: Receipt, startMs: number): void {
    const endMs = this.parts.clock.monotonicMs();
    this.receiveSeconds.observe((endMs - startMs) / 1000);
    if (!isStored(receipt)) return;
    this.appendSeconds.observe((endMs - receipt.amounts.appendStartMs) / 1000);
  }

  private count(receipt: Receipt, requestBytes: number): void {
    (this.requests as Record<Outcome, number>)[receipt.outcome] += 1;
    (this.bytesByOutcome as Record<Outcome, number>)[receipt.outcome] += requestBytes;
    this.requestBytes.observe(requestBytes);
    if (isStored(receipt)) this.countSpans(receipt.amounts);
  }

  private countSpans(amounts: Readonly<ReceivedAmounts>): void {
    addTo(this.total, amounts);
    if (amounts.evictedSpans > 0) this.parts.evicted(amounts.evictedSpans);
  }
}

type StoredReceipt = Extract<Receipt, { outcome: "accepted" | "partly_rejected" }>;

function isStored(receipt: Receipt): receipt is StoredReceipt {
  return receipt.outcome === "accepted" || receipt.outcome === "partly_rejected";
}

function addTo(total: ReceivedAmounts, amounts: Readonly<ReceivedAmounts>): void {
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

/**
 * Counts how often a value falls between two bounds. An observation costs a search through a dozen
 * bounds, and two additions.
 *
 * Invariant: the counts add up to the number of observations. `counts[i]` counts the values above
 * `bounds[i - 1]` up to `bounds[i]`; the last one counts the values above all bounds.
 */
export class Histogram {
  // Fixed at construction.
  readonly bounds: readonly number[];

  // Moved by `observe`.
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    const isAscending = bounds.every((bound, index) => index === 0 || bound > bounds[index - 1]!);
    assert(isAscending, "the bounds of a histogram ascend");
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let index = 0;
    while (index < bounds.length && value > bounds[index]!) index += 1;
    this.counts[index]! += 1;
    this.sum += value;
  }
}
