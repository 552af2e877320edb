import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { SendOutcome } from "../../ports/span-sink.ts";
import { google, opentelemetry } from "./generated/otlp.js";
import { fromInt64 } from "./span-message.ts";
import type { Verdict } from "./upstream-status.ts";

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
    return { rejectedSpans: 0n, message: "its answer cannot be read" };
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
export interface StatusDetails {
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
