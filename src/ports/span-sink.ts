/** Spans that are sent together. */
export interface SpanBatch {
  /** An encoded `ExportTraceServiceRequest`, which must not change until the batch is settled. */
  readonly request: Uint8Array<ArrayBuffer>;
  readonly spanCount: number;
}

/** A destination of spans, such as an upstream receiver or a file. */
export interface SpanSink {
  /**
   * Sends a batch. Never rejects because of the upstream or the network. May be called
   * concurrently.
   *
   * Once a batch is delivered, or partly rejected, the sink has let go of its bytes, and the caller
   * may free them. After any other outcome, a connection may still hold them.
   */
  send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome>;
  /**
   * Abandons pending sends, which report that they may be retried, and sends nothing afterwards.
   */
  close(): Promise<void>;
}

/** A sink whose credentials and certificates may come from files. */
export interface ReloadableSink extends SpanSink {
  /**
   * Reads the files again and uses their contents from then on; resolves to whether it succeeded.
   * Logs a mistake and keeps the previous contents. Never rejects.
   */
  reload(): Promise<boolean>;
}

/**
 * The result of sending a batch. Messages are short and escaped, so they are safe in a log line.
 */
export type SendOutcome =
  /** Accepted. `message` is a warning from the upstream. */
  | { readonly outcome: "delivered"; readonly message?: string }
  /** All spans are settled; the upstream rejected `rejectedSpans` of them, from 1 to all. */
  | {
      readonly outcome: "partly_rejected";
      readonly rejectedSpans: number;
      readonly message: string;
    }
  /**
   * May be retried, but not before `afterMs` if the upstream asks for a pause. The upstream may
   * already have the spans.
   */
  | {
      readonly outcome: "retry";
      readonly message: string;
      readonly afterMs?: number;
      /** Set if no answer arrived in time; a smaller batch may be answered. */
      readonly isTimeout?: true;
      /** Names what to check. */
      readonly hint?: string;
    }
  /** Too large at this size; a smaller batch may succeed. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** The upstream cannot accept some or all of these spans. */
  | { readonly outcome: "refused"; readonly reason: RefusalReason; readonly message: string }
  /** The upstream, or a proxy in front of it, accepts nothing from us until something is fixed. */
  | {
      readonly outcome: "blocked";
      readonly reason: RefusalReason;
      readonly message: string;
      /** Names what to check; by default, the reason determines it. */
      readonly hint?: string;
    };

/**
 * The reasons why spans are refused. There are few of them, and they are fixed, because they label
 * a metric.
 */
export const REFUSAL_REASONS = [
  "invalid",
  "unauthenticated",
  "forbidden",
  "not_found",
  "unsupported",
  "redirected",
  "internal",
  "other",
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];
