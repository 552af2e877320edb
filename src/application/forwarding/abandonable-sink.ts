import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import { untilAborted } from "./until-aborted.ts";

const ABANDONED: SendOutcome = {
  outcome: "retry",
  message: "abandoned: the sink does not give up",
};

/**
 * A sink that can be left alone with what it sends. A write on a disk that hangs cannot be
 * cancelled: then its outcome is no longer waited for, and the spans count as not delivered. The
 * upstream may have them all the same.
 */
export class AbandonableSink implements Pick<SpanSink, "send"> {
  // Fixed at construction.
  private readonly sink: Pick<SpanSink, "send">;
  private readonly abandoning = new AbortController();

  constructor(sink: Pick<SpanSink, "send">) {
    this.sink = sink;
  }

  async send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    if (this.abandoning.signal.aborted) return ABANDONED;
    let outcome = ABANDONED;
    const sending = this.sink.send(batch, cancelled).then((ended) => (outcome = ended));
    await untilAborted(sending, this.abandoning.signal);
    return outcome;
  }

  /** Whatever has not ended is not waited for any longer. */
  abandon(): void {
    this.abandoning.abort();
  }
}
