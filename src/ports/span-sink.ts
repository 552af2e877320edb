/** Spans that are sent together. */
export interface SpanBatch {
  /** An encoded `ExportTraceServiceRequest`; it must stay as it is until the batch is settled. */
  readonly request: Uint8Array<ArrayBuffer>;
  readonly spanCount: number;
}

/** A destination of spans, such as an upstream receiver or a file. */
export interface SpanSink {
  /** Never rejects because of the upstream or the network. May be called concurrently. */
  send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome>;
  /**
   * Abandons sends in progress, which report that they may be retried; sends nothing afterwards.
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
  /** `message` is a warning of the upstream. */
  | { readonly outcome: "delivered"; readonly message?: string }
  /** All spans are settled; the upstream rejected `rejectedSpans` of them, from 1 to all. */
  | {
      readonly outcome: "partly_rejected";
      readonly rejectedSpans: number;
      readonly message: string;
    }
  /**
   * To be retried, not before `afterMs` if the upstream names a time. It may have the spans
   * already.
   */
  | {
      readonly outcome: "retry";
      readonly message: string;
      readonly afterMs?: number;
      /** No answer arrived in time: a smaller batch may be answered. */
      readonly isTimeout?: true;
      /** Names what to check. */
      readonly hint?: string;
    }
  /** Too large at this size; a smaller batch may succeed. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** The upstream cannot accept some or all of these spans. */
  | { readonly outcome: "refused"; readonly reason: RefusalReason; readonly message: string }
  /** The upstream, or a proxy before it, accepts nothing from us until something is fixed. */
  | { readonly outcome: "blocked"; readonly reason: RefusalReason; readonly message: string };

/** The reasons why spans are refused: few and fixed, because they label a metric. */
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

/** Stores spans while spanring does not run: a stop writes them, and the next start reads them. */
export interface SpanSpill {
  /** The path of the file, safe for a log line. */
  readonly shownPath: string;
  /** Rejects when the file cannot be written; leaves nothing behind. */
  tryOut(): Promise<void>;
  /**
   * Yields the stored requests, oldest first. A fault that prevents reading the rest is the last
   * item; nothing is thrown for it.
   */
  read(): AsyncIterable<SpilledRequest | SpillFault>;
  /** Removes what was read. */
  remove(): Promise<void>;
  /**
   * Replaces everything with these requests; if it rejects, nothing has changed. They may come from
   * `read` of the same file.
   */
  replace(requests: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Moves the file aside for a person to examine, so that it is not read again; resolves to its
   * path.
   */
  setAside(): Promise<string>;
  /**
   * Writes all of these requests, or, if it rejects, none; resolves to the path. What is stored
   * already stays: in the same file if `replace` has written it, otherwise in another one. A
   * request may change once the next one is requested.
   */
  write(requests: Iterable<Uint8Array>): Promise<string>;
}

/** An encoded `ExportTraceServiceRequest`. */
export interface SpilledRequest {
  readonly bytes: Uint8Array;
  readonly spanCount: number;
}

export interface SpillFault {
  readonly fault: string;
}
