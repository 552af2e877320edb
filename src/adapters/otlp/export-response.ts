import type { Receipt } from "../../application/receipt.ts";
import { google, opentelemetry } from "./generated/otlp.js";
import { STATUS_TABLE } from "./status-table.ts";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

export type SuccessReceipt = Extract<Receipt, { outcome: "accepted" | "partly_rejected" }>;
export type FailureReceipt = Exclude<Receipt, SuccessReceipt>;

/** What OTLP recommends as the largest response. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** More than tags, lengths and the count beside the message can take. */
const ENVELOPE_BYTES = 64;

/** A status travels in HTTP/2 trailers, of which many peers take no more than 8 KiB in all. */
const MAX_STATUS_MESSAGE_BYTES = 1024;

const RETRY_INFO_URL = "type.googleapis.com/google.rpc.RetryInfo";

const NO_BYTES = new Uint8Array(0);

export function isSuccess(receipt: Receipt): receipt is SuccessReceipt {
  return receipt.outcome === "accepted" || receipt.outcome === "partly_rejected";
}

/** The bytes of an `ExportTraceServiceResponse`: none when every span was accepted. */
export function encodeExportResponse(receipt: SuccessReceipt): Uint8Array {
  if (receipt.outcome === "accepted") return NO_BYTES;
  const errorMessage = firstBytes(receipt.message, MAX_RESPONSE_BYTES - ENVELOPE_BYTES);
  const partialSuccess = { rejectedSpans: receipt.rejectedSpans, errorMessage };
  return ExportTraceServiceResponse.encode({ partialSuccess }).finish();
}

/**
 * The bytes of a `google.rpc.Status`, for `grpc-status-details-bin` and for HTTP bodies. With
 * `RetryInfo` when the receipt says how long to wait.
 */
export function encodeStatus(receipt: FailureReceipt): Uint8Array {
  const code = STATUS_TABLE[receipt.outcome].grpcCode;
  const message = firstBytes(receipt.message, MAX_STATUS_MESSAGE_BYTES);
  const details = receipt.outcome === "refused" ? [retryInfo(receipt.retryAfterMs)] : [];
  return google.rpc.Status.encode({ code, message, details }).finish();
}

function retryInfo(delayMs: number) {
  const seconds = Math.floor(delayMs / 1000);
  const nanos = Math.round((delayMs - seconds * 1000) * 1e6);
  const value = google.rpc.RetryInfo.encode({ retryDelay: { seconds, nanos } }).finish();
  return { typeUrl: RETRY_INFO_URL, value };
}

/** As many whole characters as fit. No UTF-16 unit takes more than three bytes of UTF-8. */
function firstBytes(text: string, lengthBytes: number): string {
  const room = new Uint8Array(Math.min(lengthBytes, text.length * 3));
  return text.slice(0, new TextEncoder().encodeInto(text, room).read);
}
