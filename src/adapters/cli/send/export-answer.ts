import type { SendOutcome } from "../../../ports/span-sink.ts";
import { readHttpAnswer } from "../../otlp/http-answer.ts";

/** What a receiver says to a request. */
export type ExportAnswer =
  /** `message` may be a warning about spans that were all accepted. */
  | { readonly outcome: "accepted"; readonly rejectedSpans: number; readonly message: string }
  | { readonly outcome: "refused"; readonly message: string }
  /** Never at this size; a part of it may pass. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** For now: to be sent again. */
  | { readonly outcome: "retry"; readonly message: string; readonly afterMs?: number };

/** Reads the whole answer to a request of so many spans. */
export async function readExportAnswer(
  response: Response,
  spanCount: number,
): Promise<ExportAnswer> {
  return exportAnswerOf(await readHttpAnswer(response, spanCount));
}

function exportAnswerOf(outcome: SendOutcome): ExportAnswer {
  const { message = "" } = outcome;
  switch (outcome.outcome) {
    case "delivered":
      return { outcome: "accepted", rejectedSpans: 0, message };
    case "partly_rejected":
      return { outcome: "accepted", rejectedSpans: outcome.rejectedSpans, message };
    case "retry": {
      const { afterMs } = outcome;
      return { outcome: "retry", message, ...(afterMs === undefined ? {} : { afterMs }) };
    }
    case "too_large":
      return { outcome: "too_large", message };
    case "refused":
    case "blocked":
      return { outcome: "refused", message };
  }
}
