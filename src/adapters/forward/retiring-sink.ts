import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";

/** A sink that can be closed once what it sends has ended. */
export class RetiringSink implements SpanSink {
  // Fixed at construction.
  private readonly sink: SpanSink;

  // Moved by `send`.
  private readonly sends = new Set<Promise<SendOutcome>>();

  constructor(sink: SpanSink) {
    this.sink = sink;
  }

  send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    const sending = this.sink.send(batch, cancelled).finally(() => this.sends.delete(sending));
    this.sends.add(sending);
    return sending;
  }

  /** Nothing more is sent through it. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.sends);
    await this.sink.close();
  }

  close(): Promise<void> {
    return this.sink.close();
  }
}
