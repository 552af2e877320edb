import type { RefusalReason } from "../domain/refusal-reason.ts";

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
