import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type {
  UnsupportedReceipt,
  UnsupportedSignal,
} from "../../application/receiving/unsupported-signals.ts";
import { google, opentelemetry } from "./generated/otlp.js";
import { GRPC_CODE, type FrameObjection, type Objection, STATUS_TABLE } from "./status-table.ts";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

/** An answer has no amounts: senders get a status and a message. */
type WithoutAmounts<Each> = Each extends unknown ? Omit<Each, "amounts"> : never;

/** The receiver's answer to a request. */
export type ReceiptAnswer = WithoutAmounts<Receipt>;

/** Any answer that a sender can get. */
export type Answer = ReceiptAnswer | Objection | FrameObjection | UnsupportedReceipt;

type SuccessReceipt = Extract<Answer, { outcome: "accepted" | "partly_rejected" | "unsupported" }>;
export type FailureReceipt = Exclude<Answer, SuccessReceipt>;

/** The largest response that OTLP recommends. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** Room for the tags, the lengths and the count next to the message. */
const ENVELOPE_BYTES = 64;

/** A status is sent in HTTP/2 trailers, and many peers accept at most 8 KiB of them in total. */
const MAX_STATUS_MESSAGE_BYTES = 1024;

const RETRY_INFO_URL = "type.googleapis.com/google.rpc.RetryInfo";

const NO_BYTES = new Uint8Array(0);

export function isSuccess(answer: Answer): answer is SuccessReceipt {
  return STATUS_TABLE[answer.outcome].grpcCode === GRPC_CODE.OK;
}

/**
 * Returns the bytes of an `ExportTraceServiceResponse`: none when every span was accepted.
 * Responses for metrics and logs differ in the names of their fields only, so their bytes are the
 * same.
 */
export function encodeExportResponse(receipt: SuccessReceipt): Uint8Array {
  if (receipt.outcome === "accepted") return NO_BYTES;
  return ExportTraceServiceResponse.encode({ partialSuccess: partialSuccess(receipt) }).finish();
}

/** Returns the response as OTLP/JSON, which has 64-bit integers in quotes. */
export function exportResponseJson(receipt: SuccessReceipt): string {
  if (receipt.outcome === "accepted") return "{}";
  const { rejectedSpans: rejected, errorMessage } = partialSuccess(receipt);
  const count = rejected === 0 ? {} : { [rejectedName(receipt)]: String(rejected) };
  return JSON.stringify({ partialSuccess: { ...count, errorMessage } });
}

type PartialReceipt = Exclude<SuccessReceipt, { outcome: "accepted" }>;

/**
 * Returns the fields by the names of the trace message; each signal has its own name for what is
 * rejected.
 */
function partialSuccess(receipt: PartialReceipt): { rejectedSpans: number; errorMessage: string } {
  const errorMessage = firstBytes(receipt.message, MAX_RESPONSE_BYTES - ENVELOPE_BYTES);
  const isUnsupported = receipt.outcome === "unsupported";
  return {
    rejectedSpans: isUnsupported ? receipt.rejectedItems : receipt.rejectedSpans,
    errorMessage,
  };
}

function rejectedName(receipt: PartialReceipt): string {
  return receipt.outcome === "unsupported" ? REJECTED_NAMES[receipt.signal] : "rejectedSpans";
}

const REJECTED_NAMES: Readonly<Record<UnsupportedSignal, string>> = {
  metrics: "rejectedDataPoints",
  logs: "rejectedLogRecords",
};

/**
 * Returns the bytes of a `google.rpc.Status`, for `grpc-status-details-bin` and for HTTP bodies;
 * with a `RetryInfo` when the answer says how long to wait.
 */
export function encodeStatus(receipt: FailureReceipt): Uint8Array {
  const details = "retryAfterMs" in receipt ? [retryInfo(receipt.retryAfterMs)] : [];
  return google.rpc.Status.encode({ ...codeAndMessage(receipt), details }).finish();
}

/**
 * Returns the status as proto3 JSON, in which an `Any` names its type, and a duration is a string.
 */
export function statusJson(receipt: FailureReceipt): string {
  if (!("retryAfterMs" in receipt)) return JSON.stringify(codeAndMessage(receipt));
  const retryDelay = `${receipt.retryAfterMs / 1000}s`;
  const details = [{ "@type": RETRY_INFO_URL, retryDelay }];
  return JSON.stringify({ ...codeAndMessage(receipt), details });
}

function codeAndMessage({ outcome, message }: FailureReceipt) {
  const code = STATUS_TABLE[outcome].grpcCode;
  return { code, message: firstBytes(message, MAX_STATUS_MESSAGE_BYTES) };
}

function retryInfo(delayMs: number) {
  const seconds = Math.floor(delayMs / 1000);
  const nanos = Math.round((delayMs - seconds * 1000) * NANOS_PER_MS_NUMBER);
  const value = google.rpc.RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish();
  return { typeUrl: RETRY_INFO_URL, value };
}

/** Returns as many whole characters as fit. A UTF-16 unit takes at most three bytes of UTF-8. */
function firstBytes(text: string, lengthBytes: number): string {
  const room = new Uint8Array(Math.min(lengthBytes, text.length * 3));
  return text.slice(0, new TextEncoder().encodeInto(text, room).read);
}

/** Reports whether a body is gRPC. gRPC-Web is another format. */
export function isGrpcType(contentType: string | null): boolean {
  return /^application\/grpc($|[+;\s])/i.test(contentType ?? "");
}

/**
 * Returns the answer to gRPC on a port that does not speak it. Over HTTP/2, a response without a
 * body is a single frame of headers, which gRPC reads as the status of the call (`Trailers-Only`).
 * The status is final, so that exporters report it instead of retrying endlessly.
 * Source: grpc/grpc, doc/PROTOCOL-HTTP2.md.
 */
export function grpcRefusal(message: string): Response {
  const headers = {
    "Content-Type": "application/grpc",
    "grpc-status": String(GRPC_CODE.UNIMPLEMENTED),
    "grpc-message": encodeURI(message),
  };
  return new Response(null, { status: 200, headers });
}
