import type { SendOutcome } from "../../ports/span-sink.ts";

export const CANCELLED: SendOutcome = {
  outcome: "retry",
  message: "cancelled before a response arrived",
};
export const CLOSED: SendOutcome = { outcome: "retry", message: "the sink is closed" };

/** Tracks sends in progress, so that closing a sink can cancel them and wait for them to end. */
export class SendsInFlight {
  // Moved by `run` and `close`.
  private readonly running = new Map<AbortController, Promise<SendOutcome>>();
  private isClosed = false;

  /** Calls `send`, unless the sink is closed. Closing the sink aborts its signal too. */
  async run(cancelled: AbortSignal, send: Send): Promise<SendOutcome> {
    if (this.isClosed) return CLOSED;
    return cancelled.aborted ? CANCELLED : await this.runUntil(cancelled, send);
  }

  /** Cancels all sends, and resolves when they have ended. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const given of this.running.keys()) given.abort();
    await Promise.allSettled(this.running.values());
  }

  /** Avoids `AbortSignal.any`: signals derived from a long-lived one stay in memory as long. */
  private runUntil(cancelled: AbortSignal, send: Send): Promise<SendOutcome> {
    const given = new AbortController();
    const stopListening = whenAborted(cancelled, () => given.abort());
    const sending = send(given.signal).finally(stopListening);
    this.running.set(given, sending);
    return sending.finally(() => this.running.delete(given));
  }
}

type Send = (given: AbortSignal) => Promise<SendOutcome>;

function whenAborted(signal: AbortSignal, abort: () => void): () => void {
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}
