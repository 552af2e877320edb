import { CANCELLED, CLOSED } from "../../../src/adapters/forward/sends-in-flight.ts";
import type { ReloadableSink, SendOutcome, SpanBatch } from "../../../src/ports/span-sink.ts";

/** A batch without an outcome yet. */
export interface HeldSend {
  readonly batch: SpanBatch;
  readonly settle: (outcome: SendOutcome) => void;
}

/** Decides the outcome of a batch; `held` leaves it to the test, in `held`. */
export type FakeAnswer = (batch: SpanBatch) => SendOutcome | "held";

/** A sink that keeps copies of its batches, with the outcomes that the test chooses. */
export class FakeSink implements ReloadableSink {
  /** All batches, in the order of sending. */
  readonly sent: SpanBatch[] = [];
  /** Batches not yet settled, oldest first. */
  readonly held: HeldSend[] = [];
  isClosed = false;
  reloads = 0;
  /** The outcomes; may be changed at any time. */
  answer: FakeAnswer;

  constructor(answer: FakeAnswer = () => ({ outcome: "delivered" })) {
    this.answer = answer;
  }

  async send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    if (this.isClosed || cancelled.aborted) return this.isClosed ? CLOSED : CANCELLED;
    const copy = { ...batch, request: batch.request.slice() };
    this.sent.push(copy);
    const outcome = this.answer(copy);
    return outcome === "held" ? await this.hold(copy, cancelled) : outcome;
  }

  async reload(): Promise<boolean> {
    this.reloads += 1;
    return true;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const { settle } of this.held.slice()) settle(CLOSED);
  }

  private hold(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    const { promise, resolve } = Promise.withResolvers<SendOutcome>();
    const held = { batch, settle: (outcome: SendOutcome) => this.settle(held, outcome, resolve) };
    this.held.push(held);
    cancelled.addEventListener("abort", () => held.settle(CANCELLED), { once: true });
    return promise;
  }

  private settle(held: HeldSend, outcome: SendOutcome, tell: (outcome: SendOutcome) => void): void {
    const at = this.held.indexOf(held);
    if (at >= 0) this.held.splice(at, 1);
    tell(outcome);
  }
}
