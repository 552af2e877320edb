import { FAULT_KINDS } from "../domain/span-validity.ts";
import type { Clock } from "../ports/clock.ts";
import { Histogram } from "./histogram.ts";
import type { Receipt, TraceReceiver } from "./receipt.ts";

/** What the receiver did with the request before; it makes the counts of each receiver's own. */
export interface ReceivedAmounts {
  acceptedSpans: number;
  acceptedBytes: number;
  rejectedSpans: number;
  rejectedBytes: number;
  /** Spans with each fault; see `domain/span-validity.ts`. */
  readonly rejectedByFault: Uint32Array;
}

export function noAmounts(): ReceivedAmounts {
  const none = { acceptedSpans: 0, acceptedBytes: 0, rejectedSpans: 0, rejectedBytes: 0 };
  return { ...none, rejectedByFault: new Uint32Array(FAULT_KINDS) };
}

export type Outcome = Receipt["outcome"];

const OUTCOMES: readonly Outcome[] = [
  "accepted",
  "partly_rejected",
  "malformed",
  "too_large",
  "refused",
  "stopping",
  "failed",
];

const KIB = 1024;
const REQUEST_BYTES = [256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, KIB ** 2, 4 * KIB ** 2];
const RECEIVE_SECONDS = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1];

interface CountedParts {
  /** Of which `amounts` are those of its last request. */
  readonly receiver: TraceReceiver & { readonly amounts: ReceivedAmounts };
  readonly clock: Clock;
}

/**
 * A receiver of one protocol, around the one receiver: it counts what came in by that protocol. It
 * costs a request two looks at the clock and a dozen additions, and nothing is allocated.
 */
export class CountedReceiver implements TraceReceiver {
  // Fixed at construction.
  private readonly parts: CountedParts;

  // Moved by `receive`.
  readonly requests: Readonly<Record<Outcome, number>> = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, 0]),
  ) as Record<Outcome, number>;
  readonly total: ReceivedAmounts = noAmounts();
  readonly requestBytes = new Histogram(REQUEST_BYTES);
  readonly receiveSeconds = new Histogram(RECEIVE_SECONDS);

  constructor(parts: CountedParts) {
    this.parts = parts;
  }

  receive(request: Uint8Array): Receipt {
    const { receiver, clock } = this.parts;
    const begunMs = clock.monotonicMs();
    const receipt = receiver.receive(request);
    this.count(receipt, request.length, clock.monotonicMs() - begunMs);
    return receipt;
  }

  private count({ outcome }: Receipt, requestBytes: number, tookMs: number): void {
    (this.requests as Record<Outcome, number>)[outcome] += 1;
    this.requestBytes.observe(requestBytes);
    this.receiveSeconds.observe(tookMs / 1000);
    if (outcome === "accepted" || outcome === "partly_rejected") this.add();
  }

  private add(): void {
    addTo(this.total, this.parts.receiver.amounts);
  }
}

function addTo(total: ReceivedAmounts, amounts: ReceivedAmounts): void {
  total.acceptedSpans += amounts.acceptedSpans;
  total.acceptedBytes += amounts.acceptedBytes;
  total.rejectedSpans += amounts.rejectedSpans;
  total.rejectedBytes += amounts.rejectedBytes;
  for (let fault = 0; fault < FAULT_KINDS; fault += 1) {
    total.rejectedByFault[fault]! += amounts.rejectedByFault[fault]!;
  }
}
