import type { SendOutcome, SpanSink } from "../../ports/span-sink.ts";

/** An `ExportTraceServiceRequest` without spans has no bytes. */
const EMPTY = { request: new Uint8Array(0), spanCount: 0 };

/**
 * Asks the upstream with an empty request, which every receiver of OTLP takes. So its answer tells
 * whether the upstream refuses spans or whoever sends them.
 */
export class Probe {
  // Fixed at construction.
  private readonly sink: Pick<SpanSink, "send">;
  private readonly cancelled: AbortSignal;

  // Moved by `ask`.
  private asking: Promise<SendOutcome> | undefined;

  constructor(sink: Pick<SpanSink, "send">, cancelled: AbortSignal) {
    this.sink = sink;
    this.cancelled = cancelled;
  }

  /** Several at a time share one request. */
  ask(): Promise<SendOutcome> {
    const ended = () => (this.asking = undefined);
    return (this.asking ??= this.sink.send(EMPTY, this.cancelled).finally(ended));
  }
}
