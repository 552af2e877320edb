import { Metadata } from "@grpc/grpc-js";
import { encodeStatus, type FailureReceipt } from "../otlp/export-response.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";
import { bufferOver } from "./call-handlers.ts";
import { ENCODINGS_TAKEN } from "./message-encoding.ts";

/** How a call ends that has failed, as grpc-js takes it. */
export interface CallFailure {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** A status travels in HTTP/2 trailers, of which many peers take no more than 8 KiB in all. */
const MAX_DETAILS_LENGTH = 1024;

export function callFailure(answer: FailureReceipt): CallFailure {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", bufferOver(encodeStatus(answer)));
  if (answer.outcome === "unsupported_encoding")
    metadata.set("grpc-accept-encoding", ENCODINGS_TAKEN);
  // Half a surrogate pair would make grpc-js throw when it encodes the text for the trailers.
  const details = answer.message.slice(0, MAX_DETAILS_LENGTH).toWellFormed();
  return { code: STATUS_TABLE[answer.outcome].grpcCode, details, metadata };
}
