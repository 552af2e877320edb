import type { RefusalReason, SendOutcome } from "../../ports/span-sink.ts";
import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import { google, opentelemetry } from "./generated/otlp.js";
import { fromInt64 } from "./span-codec.ts";

/** The meaning of a status for a batch, before the rest of the response is read. */
export type Verdict =
  | { readonly outcome: "success" }
  | { readonly outcome: "retry" }
  | { readonly outcome: "too_large" }
  /** The upstream does not accept all spans; an empty request shows whether it accepts any. */
  | { readonly outcome: "refused"; readonly reason: RefusalReason }
  /** The upstream accepts nothing from us, or is no OTLP receiver, so no span is at fault. */
  | { readonly outcome: "blocked"; readonly reason: RefusalReason };

const SUCCESS: Verdict = { outcome: "success" };
const RETRY: Verdict = { outcome: "retry" };
const TOO_LARGE: Verdict = { outcome: "too_large" };

/**
 * The verdicts on gRPC codes. One deviation from OTLP: RESOURCE_EXHAUSTED without RetryInfo should
 * be final. Receivers send it when they are overloaded, and many never send a RetryInfo, so
 * dropping spans then would fail at what a buffer is for.
 *
 * Sources: grpc/grpc, doc/statuscodes.md; OTLP/gRPC, "Failures".
 */
const GRPC_VERDICTS: Readonly<Record<number, Verdict>> = {
  0: SUCCESS,
  1: RETRY, // CANCELLED
  2: refused("other"), // UNKNOWN
  3: refused("invalid"), // INVALID_ARGUMENT
  4: RETRY, // DEADLINE_EXCEEDED
  5: blocked("not_found"), // NOT_FOUND
  6: refused("other"), // ALREADY_EXISTS
  7: blocked("forbidden"), // PERMISSION_DENIED
  8: RETRY, // RESOURCE_EXHAUSTED, unless it is about size
  9: refused("invalid"), // FAILED_PRECONDITION
  10: RETRY, // ABORTED
  11: RETRY, // OUT_OF_RANGE
  12: blocked("unsupported"), // UNIMPLEMENTED
  13: refused("internal"), // INTERNAL
  14: RETRY, // UNAVAILABLE
  15: RETRY, // DATA_LOSS
  16: blocked("unauthenticated"), // UNAUTHENTICATED
};

const RESOURCE_EXHAUSTED = 8;
const OUT_OF_RANGE = 11;

/**
 * The messages of grpc-js for a stream that ended without a status: it derives a code from how the
 * stream ended. That says nothing about the spans, so they are sent again.
 *
 * Source: grpc-js, src/subchannel-call.ts and src/load-balancing-call.ts.
 */
const NO_STATUS: Readonly<Record<number, RegExp>> = {
  2: /^No status information received$|^Received HTTP status code 200$/,
  7: /^Protocol not secure enough$/,
  13: /^Received RST_STREAM with code |^Failed to start HTTP\/2 stream |^Write error: /,
};

/**
 * Matches how receivers report a message that is too long. gRPC has no code for it: most use
 * RESOURCE_EXHAUSTED, tonic uses OUT_OF_RANGE, which would be retried endlessly.
 *
 *     grpc, grpc-go, spanring  Received message larger than max (5000000 vs. 4194304)
 *     grpc-java                gRPC message exceeds maximum size 4194304: 5000000
 *     grpc-dotnet              Received message exceeds the maximum configured message size.
 *     tonic                    decoded message length too large: found 5000000 bytes, the limit is:
 *     spanring                 more than 100000 spans in one request; send smaller batches
 */
const SIZE_WORDS =
  /larger than max|exceeds (the )?max|message (length |size )?too (large|long)|smaller batch/i;

/**
 * Matches a proxy that does not speak gRPC: grpc-js turns its HTTP status into a code, often
 * UNKNOWN.
 */
const HTTP_STATUS = /^Received HTTP status code ([3-9]\d{2})$/;

/**
 * Returns the verdict on a gRPC status. `mayRetry` means that a RetryInfo is present, so
 * RESOURCE_EXHAUSTED is not about size.
 */
export function grpcVerdict(code: number, details: string, mayRetry: boolean): Verdict {
  if (code === RESOURCE_EXHAUSTED && mayRetry) return RETRY;
  const isOfSize = code === RESOURCE_EXHAUSTED || code === OUT_OF_RANGE;
  if (isOfSize && SIZE_WORDS.test(details)) return TOO_LARGE;
  if (NO_STATUS[code]?.test(details)) return RETRY;
  const [, status] = HTTP_STATUS.exec(details) ?? [];
  if (status !== undefined) return httpVerdict(Number(status));
  return GRPC_VERDICTS[code] ?? refused("other");
}

/**
 * The verdicts on HTTP statuses. Sources: OTLP/HTTP, "Retryable Response Codes"; for others, the
 * mapping of google.rpc.Code, and RFC 9110.
 */
const HTTP_VERDICTS: Readonly<Record<number, Verdict>> = {
  400: refused("invalid"),
  401: blocked("unauthenticated"),
  402: blocked("forbidden"),
  403: blocked("forbidden"),
  404: blocked("not_found"),
  405: blocked("unsupported"),
  406: blocked("unsupported"),
  407: blocked("unauthenticated"),
  410: blocked("not_found"),
  411: blocked("unsupported"),
  413: TOO_LARGE,
  415: blocked("unsupported"),
  421: blocked("not_found"),
  422: refused("invalid"),
  426: blocked("unsupported"),
  429: RETRY,
  500: refused("internal"),
  501: blocked("unsupported"),
  502: RETRY,
  503: RETRY,
  504: RETRY,
  505: blocked("unsupported"),
  511: blocked("unauthenticated"),
};

/**
 * Returns the verdict on an HTTP status. Unlisted ones come from an intermediary, and say nothing
 * about spans.
 */
export function httpVerdict(status: number): Verdict {
  if (status >= 200 && status < 300) return SUCCESS;
  if (status >= 300 && status < 400) return blocked("redirected");
  return HTTP_VERDICTS[status] ?? blocked("other");
}

function refused(reason: RefusalReason): Verdict {
  return { outcome: "refused", reason };
}

function blocked(reason: RefusalReason): Verdict {
  return { outcome: "blocked", reason };
}

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

interface PartialSuccess {
  /** The number that the upstream claims; it may be negative, or more than were sent. */
  readonly rejectedSpans: bigint;
  readonly message: string;
}

/**
 * Returns the outcome of a successful response. If its body cannot be read, the status still says
 * success, and sending the batch again would duplicate it.
 */
export function successOutcome(answer: Answer, spanCount: number): SendOutcome {
  const { rejectedSpans, message } = partialSuccess(answer);
  const quoted = quotePeerText(message);
  if (rejectedSpans > 0n && spanCount > 0) {
    const clamped = rejectedSpans > BigInt(spanCount) ? spanCount : Number(rejectedSpans);
    return { outcome: "partly_rejected", rejectedSpans: clamped, message: quoted };
  }
  return quoted === "" ? { outcome: "delivered" } : { outcome: "delivered", message: quoted };
}

/** Returns the outcome of a failed response, with `afterMs` if the upstream names a time. */
export function failureOutcome(
  verdict: Exclude<Verdict, { outcome: "success" }>,
  said: string,
  afterMs: number | undefined,
): SendOutcome {
  const message = quotePeerText(said);
  const isTimed = verdict.outcome === "retry" && afterMs !== undefined;
  return isTimed ? { ...verdict, message, afterMs } : { ...verdict, message };
}

/** A body and its declared format; everything but JSON is read as protobuf. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly isJson: boolean;
}

function partialSuccess({ bytes, isJson }: Answer): PartialSuccess {
  try {
    return isJson ? jsonPartialSuccess(bytes) : binaryPartialSuccess(bytes);
  } catch {
    return { rejectedSpans: 0n, message: "its response cannot be read" };
  }
}

function binaryPartialSuccess(bytes: Uint8Array): PartialSuccess {
  const { partialSuccess: partial } = ExportTraceServiceResponse.decode(bytes);
  if (partial === null) return { rejectedSpans: 0n, message: "" };
  return { rejectedSpans: fromInt64(partial.rejectedSpans), message: partial.errorMessage };
}

function jsonPartialSuccess(bytes: Uint8Array): PartialSuccess {
  const { partialSuccess: partial } = parseObject(bytes);
  if (typeof partial !== "object" || partial === null) return { rejectedSpans: 0n, message: "" };
  const { rejectedSpans = 0, errorMessage = "" } = partial as Readonly<Record<string, unknown>>;
  return { rejectedSpans: BigInt(String(rejectedSpans)), message: String(errorMessage) };
}

/** The contents of a `google.rpc.Status`; all empty when the bytes are not one. */
interface StatusDetails {
  /** The gRPC code; 0 if absent. */
  readonly code: number;
  readonly message: string;
  /** Whether a RetryInfo is present, with or without a delay. */
  readonly mayRetry: boolean;
  readonly retryAfterMs: number | undefined;
}

const NO_DETAILS: StatusDetails = {
  code: 0,
  message: "",
  mayRetry: false,
  retryAfterMs: undefined,
};

export function statusDetails({ bytes, isJson }: Answer): StatusDetails {
  try {
    return isJson ? jsonStatus(bytes) : binaryStatus(bytes);
  } catch {
    return NO_DETAILS;
  }
}

function binaryStatus(bytes: Uint8Array): StatusDetails {
  const { code, message, details } = google.rpc.Status.decode(bytes);
  const found = details.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.RetryInfo"));
  if (found === undefined) return { ...NO_DETAILS, code, message };
  const { retryDelay } = google.rpc.RetryInfo.decode(found.value);
  if (retryDelay === null) return { code, message, mayRetry: true, retryAfterMs: undefined };
  const ms = Number(fromInt64(retryDelay.seconds)) * 1000 + retryDelay.nanos / NANOS_PER_MS_NUMBER;
  return { code, message, mayRetry: true, retryAfterMs: Math.max(0, Math.round(ms)) };
}

function jsonStatus(bytes: Uint8Array): StatusDetails {
  const { code = 0, message = "" } = parseObject(bytes);
  return { ...NO_DETAILS, code: Number(code), message: String(message) };
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError("it is not an object");
}
