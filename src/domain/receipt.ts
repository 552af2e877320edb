/**
 * What became of one received request. Adapters translate it with the one table in
 * `adapters/otlp/status-table.ts`, so that gRPC and HTTP cannot drift apart.
 */
export type Receipt =
  | {
      readonly outcome: "accepted";
      /** There was no span in it. */
      readonly isEmpty?: true;
      /** Fields that OTLP does not have, where those may be why there was none. */
      readonly unknown?: string;
    }
  /**
   * Valid spans were kept. `message` tells the sender why the others were not, and how to mend it.
   */
  | {
      readonly outcome: "partly_rejected";
      readonly rejectedSpans: number;
      readonly message: string;
    }
  /** Not a trace request; nothing was kept. `problem` says which kind, where it is known. */
  | {
      readonly outcome: "malformed";
      readonly message: string;
      readonly problem?: "not_otlp_json" | "broken_compression" | "incomplete";
    }
  /**
   * Larger than a limit, or than the whole ring; nothing was kept, and sending it again is useless.
   */
  | { readonly outcome: "too_large"; readonly message: string }
  /** Full, and `OVERFLOW_POLICY=refuse`; nothing was kept. */
  | { readonly outcome: "refused"; readonly message: string; readonly retryAfterMs: number }
  /** Shutting down; nothing was kept. */
  | { readonly outcome: "stopping"; readonly message: string }
  /** Our own fault; nothing was kept, and the sender may try again. */
  | { readonly outcome: "failed"; readonly message: string };
