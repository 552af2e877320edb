import type { RefusalReason, SendOutcome } from "../../ports/span-sink.ts";

/** Explains why sending is paused and what to do about it. It costs no span. */
export interface SendFailure {
  readonly message: string;
  /** The pause that the upstream asks for. */
  readonly afterMs: number | undefined;
  /** Names what to check, if waiting alone is unlikely to help. */
  readonly hint: string | undefined;
  /**
   * Whether the upstream answered with a refusal. It then gets an empty request before any spans.
   */
  readonly isRefusal: boolean;
  /** Whether it refused every span of the last try, whatever it says to an empty request. */
  readonly areSpansRefused: boolean;
}

const CREDENTIALS = "check FORWARD_HEADERS and FORWARD_HEADERS_FILE, which contain the credentials";
const RECEIVER =
  "check that FORWARD_ENDPOINT is an OTLP trace receiver, and check FORWARD_COMPRESSION";

const HINTS: Readonly<Record<RefusalReason, string>> = {
  invalid: RECEIVER,
  unauthenticated: CREDENTIALS,
  forbidden: `${CREDENTIALS}, and what the credentials permit`,
  not_found: "check the host and the path of FORWARD_ENDPOINT",
  unsupported: RECEIVER,
  redirected: "set FORWARD_ENDPOINT to the URL that it redirects to",
  internal: RECEIVER,
  other: "check FORWARD_ENDPOINT and any proxies on the way",
};

/** Returns the failure of an upstream that accepted neither a batch nor an empty request. */
export function failureOf(outcome: Exclude<SendOutcome, { outcome: "delivered" }>): SendFailure {
  const { message } = outcome;
  switch (outcome.outcome) {
    case "retry":
      return { ...NO_REFUSAL, message, afterMs: outcome.afterMs, hint: outcome.hint };
    case "blocked":
      return { ...REFUSAL, message, hint: outcome.hint ?? HINTS[outcome.reason] };
    case "refused":
    case "too_large":
    case "partly_rejected":
      return { ...REFUSAL, message, hint: NOT_EVEN_EMPTY };
  }
}

const NO_REFUSAL = { isRefusal: false, areSpansRefused: false };
const REFUSAL = { isRefusal: true, areSpansRefused: false, afterMs: undefined };

const NOT_EVEN_EMPTY = `the upstream refuses even an empty request: ${RECEIVER}`;

const REFUSED_SPANS =
  "the upstream refuses the remaining spans; its response says why: " +
  'fix the sender of these spans, or remove them with "spanring take --out FILE"; ' +
  "if it refuses every request, FORWARD_ENDPOINT may not be an OTLP trace receiver";

/** Returns the failure of an upstream that accepts none of the spans tried. */
export function refusesAllSpans(message: string): SendFailure {
  return { ...REFUSAL, message, hint: REFUSED_SPANS, areSpansRefused: true };
}
