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

/** What the receiver answers to a request. */
export type ReceiptAnswer = WithoutAmounts<Receipt>;

/** Every answer that a sender can get. */
export type Answer = ReceiptAnswer | Objection | FrameObjection | UnsupportedReceipt;

type SuccessReceipt = Extract<Answer, { outcome: "accepted" | "partly_rejected" | "unsupported" }>;
export type FailureReceipt = Exclude<Answer, SuccessReceipt>;

/** What OTLP recommends as the largest response. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** More than tags, lengths and the count beside the message can take. */
const ENVELOPE_BYTES = 64;

/** A status travels in HTTP/2 trailers, of which many peers take no more than 8 KiB in all. */
const MAX_STATUS_MESSAGE_BYTES = 1024;

const RETRY_INFO_URL = "type.googleapis.com/google.rpc.RetryInfo";

const NO_BYTES = new Uint8Array(0);

export function isSuccess(answer: Answer): answer is SuccessReceipt {
  return STATUS_TABLE[answer.outcome].grpcCode === GRPC_CODE.OK;
}

/**
 * The bytes of an `ExportTraceServiceResponse`: none when every span was accepted. Those of metrics
 * and logs are the same, but for the names of their fields, which bytes do not show.
 */
export function encodeExportResponse(receipt: SuccessReceipt): Uint8Array {
  if (receipt.outcome === "accepted") return NO_BYTES;
  return ExportTraceServiceResponse.encode({ partialSuccess: partialSuccess(receipt) }).finish();
}

/** The same as OTLP/JSON, which has 64-bit integers in quotes. */
export function exportResponseJson(receipt: SuccessReceipt): string {
  if (receipt.outcome === "accepted") return "{}";
  const { rejectedSpans: rejected, errorMessage } = partialSuccess(receipt);
  const count = rejected === 0 ? {} : { [rejectedName(receipt)]: String(rejected) };
  return JSON.stringify({ partialSuccess: { ...count, errorMessage } });
}

type PartialReceipt = Exclude<SuccessReceipt, { outcome: "accepted" }>;

/** By the names of the message for traces; each signal has another for what is rejected. */
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
 * The bytes of a `google.rpc.Status`, for `grpc-status-details-bin` and for HTTP bodies. With
 * `RetryInfo` when the receipt says how long to wait.
 */
export function encodeStatus(receipt: FailureReceipt): Uint8Array {
  const details = "retryAfterMs" in receipt ? [retryInfo(receipt.retryAfterMs)] : [];
  return google.rpc.Status.encode({ ...codeAndMessage(receipt), details }).finish();
}

/** The same as proto3 JSON, in which what is `Any` tells its type, and a duration is one text. */
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

/** As many whole characters as fit. No UTF-16 unit takes more than three bytes of UTF-8. */
function firstBytes(text: string, lengthBytes: number): string {
  const room = new Uint8Array(Math.min(lengthBytes, text.length * 3));
  return text.slice(0, new TextEncoder().encodeInto(text, room).read);
}

/** Whether a body is gRPC. That of gRPC-Web is something else. */
export function isGrpcType(contentType: string | null): boolean {
  return /^application\/grpc($|[+;\s])/i.test(contentType ?? "");
}

/**
 * The answer to gRPC at a port that does not speak it. Over HTTP/2, a response without a body is a
 * frame of headers, which gRPC takes for the status of the call (`Trailers-Only`). The status is
 * final, so that exporters report it instead of trying for ever.
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
