import type { RefusalReason, SendOutcome } from "../../ports/span-sink.ts";

/** Says why nothing is sent for now and what to do about it. It costs no span. */
export interface SendFailure {
  readonly message: string;
  /** The upstream's own wish. */
  readonly afterMs: number | undefined;
  /** Names what to check when waiting alone is not likely to help. */
  readonly hint: string | undefined;
  /** The upstream answers, and refuses: it is asked with an empty request before spans are sent. */
  readonly isRefusal: boolean;
}

const CREDENTIALS = "check FORWARD_HEADERS and FORWARD_HEADERS_FILE, which hold the credentials";
const RECEIVER =
  "check that FORWARD_ENDPOINT is a receiver of OTLP traces, and FORWARD_COMPRESSION";

const HINTS: Readonly<Record<RefusalReason, string>> = {
  invalid: RECEIVER,
  unauthenticated: CREDENTIALS,
  forbidden: `${CREDENTIALS}, and what they allow`,
  not_found: "check the host and the path of FORWARD_ENDPOINT",
  unsupported: RECEIVER,
  redirected: "name the place in FORWARD_ENDPOINT that it redirects to",
  internal: RECEIVER,
  other: "check FORWARD_ENDPOINT and the proxies on the way to it",
};

/** Returns why the upstream took neither a batch nor an empty request. */
export function failureOf(outcome: Exclude<SendOutcome, { outcome: "delivered" }>): SendFailure {
  const { message } = outcome;
  switch (outcome.outcome) {
    case "retry":
      return { message, afterMs: outcome.afterMs, hint: outcome.hint, isRefusal: false };
    case "blocked":
      return { message, afterMs: undefined, hint: HINTS[outcome.reason], isRefusal: true };
    case "refused":
    case "too_large":
    case "partly_rejected":
      return { message, afterMs: undefined, hint: NOT_EVEN_EMPTY, isRefusal: true };
  }
}

const NOT_EVEN_EMPTY = `it refuses even an empty request: ${RECEIVER}`;
const NOTHING_BUT_EMPTY = `it takes empty requests and refuses all spans: ${RECEIVER}`;

/** It refuses every span that it was asked about, and takes what has none. */
export function refusesAllSpans(message: string): SendFailure {
  return { message, afterMs: undefined, hint: NOTHING_BUT_EMPTY, isRefusal: true };
}
