import type { SendOutcome } from "./send-outcome.ts";

export type { SendOutcome } from "./send-outcome.ts";

/** Spans that leave together. */
export interface SpanBatch {
  /** An encoded `ExportTraceServiceRequest`; it must stay as it is until the batch is settled. */
  readonly request: Uint8Array<ArrayBuffer>;
  readonly spanCount: number;
}

/** Where spans go for good. */
export interface SpanSink {
  /** Never rejects for what the upstream or the way to it does. Several at a time are welcome. */
  send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome>;
  /** What is being sent is given up, and is to be retried; nothing is sent from then on. */
  close(): Promise<void>;
}

/** A sink whose credentials and certificates may come from files. */
export interface ReloadableSink extends SpanSink {
  /**
   * Reads the files again and uses what they hold from then on; resolves to whether it does. A
   * mistake is logged, and what was used before stays in use. Never rejects.
   */
  reload(): Promise<boolean>;
}
