import * as z from "zod/mini";
import { count, described, list, message, text } from "./message.ts";

/** Describes the answer to an upload, like `messages.ts`, which lists it. */

export const upload = message("Upload", () =>
  z.object({
    spans: count("The accepted spans."),
    traces: count("The traces of these spans; at most 100,000 are counted."),
    requests: count("The requests that the file contains."),
    rejected_spans: count("The spans that are not valid."),
    refused_requests: count("The requests of which no span was accepted."),
    other_signals: count("The requests with metrics or logs, which were skipped."),
    broken_parts: count("The parts of the file that cannot be read, and were skipped."),
    reasons: described(
      list(text()),
      "Why spans, requests and parts of the file were refused: the first ten different reasons.",
    ),
    is_complete: described(z.boolean(), "Whether the file was read to its end."),
  }),
);
