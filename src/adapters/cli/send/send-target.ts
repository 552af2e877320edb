import type { FileRequest } from "../../otlp-files/file-request.ts";

/** A receiver of the requests that the command sends. */
export interface SendTarget {
  /** The address, as messages show it. */
  readonly name: string;
  /** The beginning of a line that quotes a message about a request. */
  readonly speaker: string;
  /** A sentence that says what to do if it cannot be reached. */
  readonly advice: string;
  /** What it means for the other requests if one fails in all its attempts. */
  readonly exhausted: "refusing" | "unreachable";
  /** Sends a request once. Never rejects. May be called concurrently. */
  attempt(request: FileRequest, signal: AbortSignal): Promise<Attempt>;
  close(): Promise<void>;
}

/** The result of sending a request once. */
export type Attempt =
  | ExportAnswer
  | { readonly outcome: "unreachable"; readonly message: string; readonly hint?: string }
  /** Every other request would be refused too, until a person has fixed the cause. */
  | { readonly outcome: "blocked"; readonly message: string; readonly hint: string };

/** The response of a receiver to a request. */
export type ExportAnswer =
  /** `message` may be a warning about spans that were all accepted. */
  | { readonly outcome: "accepted"; readonly rejectedSpans: number; readonly message: string }
  | { readonly outcome: "refused"; readonly message: string }
  /** The receiver accepts no request of this size, but may accept parts of it. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** The receiver is temporarily unable to accept it. */
  | {
      readonly outcome: "retry";
      readonly message: string;
      readonly afterMs?: number;
      readonly hint?: string | undefined;
    };
