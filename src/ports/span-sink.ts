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

/** Says what became of a batch. Messages are short and escaped: they are fit for a log line. */
export type SendOutcome =
  /** `message` is a warning of the upstream. */
  | { readonly outcome: "delivered"; readonly message?: string }
  /** All spans are settled; `rejectedSpans` of them, from 1 to all, the upstream did not keep. */
  | {
      readonly outcome: "partly_rejected";
      readonly rejectedSpans: number;
      readonly message: string;
    }
  /** Not now; not before `afterMs` if the upstream says so. It may have the spans all the same. */
  | {
      readonly outcome: "retry";
      readonly message: string;
      readonly afterMs?: number;
      /** There was no answer in time: a smaller batch may have one. */
      readonly isTimeout?: true;
      /** Names what to check. */
      readonly hint?: string;
    }
  /** Never at this size; a smaller batch may pass. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** The upstream cannot take these spans, or not all of them. */
  | { readonly outcome: "refused"; readonly reason: RefusalReason; readonly message: string }
  /** The upstream, or something before it, takes nothing from us until that is mended. */
  | { readonly outcome: "blocked"; readonly reason: RefusalReason; readonly message: string };

/** Why spans can never be delivered: a few words for all upstreams, fit to label a metric. */
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
