import { FAULT_KINDS } from "./span-validity.ts";

/** Counts the spans of one request by their outcome. */
export interface ReceivedAmounts {
  acceptedSpans: number;
  acceptedBytes: number;
  rejectedSpans: number;
  rejectedBytes: number;
  /** Spans that were evicted to make room for this request. */
  evictedSpans: number;
  /** Number of spans with each fault; see `domain/span-validity.ts`. */
  readonly rejectedByFault: Float64Array;
  readonly rejectedBytesByFault: Float64Array;
  /** The monotonic time at which all checks were done and the append began. */
  appendStartMs: number;
}

export function zeroAmounts(): ReceivedAmounts {
  return {
    acceptedSpans: 0,
    acceptedBytes: 0,
    rejectedSpans: 0,
    rejectedBytes: 0,
    evictedSpans: 0,
    rejectedByFault: new Float64Array(FAULT_KINDS),
    rejectedBytesByFault: new Float64Array(FAULT_KINDS),
    appendStartMs: 0,
  };
}

/**
 * The result of one request. Adapters translate it with the one table in
 * `adapters/otlp/status-table.ts`, so that gRPC and HTTP cannot drift apart.
 *
 * `amounts` belongs to the receiver, which overwrites it with the next request. Reading it right
 * after `receive` costs no allocation; keeping it requires a copy.
 */
export type Receipt =
  | {
      readonly outcome: "accepted";
      readonly amounts: Readonly<ReceivedAmounts>;
      /** Set if the request had no span. */
      readonly isEmpty?: true;
      /** Names the fields that OTLP does not define, if they may explain the missing spans. */
      readonly unknown?: string;
    }
  /** Valid spans were stored. `message` explains why the others were not, and how to fix them. */
  | {
      readonly outcome: "partly_rejected";
      readonly amounts: Readonly<ReceivedAmounts>;
      readonly rejectedSpans: number;
      readonly message: string;
    }
  /** Not a trace request; nothing was stored. `problem` names the kind of fault, if it is known. */
  | {
      readonly outcome: "malformed";
      readonly message: string;
      readonly problem?: "not_otlp_json" | "broken_compression" | "incomplete";
    }
  /** Larger than a limit or than the whole ring; nothing was stored, and a retry cannot succeed. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** The ring is full and `OVERFLOW_POLICY=refuse`; nothing was stored. */
  | { readonly outcome: "refused"; readonly message: string; readonly retryAfterMs: number }
  /** Shutting down; nothing was stored. */
  | { readonly outcome: "stopping"; readonly message: string }
  /** An internal fault; nothing was stored, and the sender may retry. */
  | { readonly outcome: "failed"; readonly message: string }
  /** The disk failed; what was stored may be lost, so the sender must retry. */
  | { readonly outcome: "failed"; readonly message: string; readonly retryAfterMs: number };
