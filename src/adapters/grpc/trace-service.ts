import { Metadata } from "@grpc/grpc-js";
import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import type { Receipt } from "../../application/receipt.ts";
import { releaseBytes, releaseOwnBuffer } from "../../application/release-bytes.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import { encodeExportResponse, encodeStatus, isSuccess } from "../otlp/export-response.ts";
import type { FailureReceipt } from "../otlp/export-response.ts";
import { noteAnswer } from "../otlp/note-answer.ts";
import { receiveSafely, type SafelyParts, turnAway } from "../otlp/receive-safely.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";
import { bufferOver, TRACE_SERVICE } from "./call-handlers.ts";
import type { Method } from "./call-handlers.ts";
import { plainMessage } from "./message-encoding.ts";

export interface TraceServiceParts extends SafelyParts {
  /** After decompression; before it, grpc-js keeps the same limit. */
  readonly maxMessageBytes: number;
  readonly pace: CollectionPace;
  readonly problems: ProblemLog;
}

export const EXPORT_PATH = `/${TRACE_SERVICE}/Export`;

const NO_BYTES = Buffer.alloc(0);

/** A status travels in HTTP/2 trailers, of which many peers take no more than 8 KiB in all. */
const MAX_DETAILS_LENGTH = 1024;

/** Answers at once, in the tick that brought the last byte: no promise, no timer, one buffer. */
export function exportMethod(parts: TraceServiceParts): Method {
  return {
    path: EXPORT_PATH,
    type: "unary",
    handler: (call, respond) => answer(receiptFor(call, parts), respond),
  };
}

function receiptFor(call: ServerUnaryCall<Buffer, Buffer>, parts: TraceServiceParts): Receipt {
  const plain = plainMessage(call, parts.maxMessageBytes);
  const receipt =
    plain.outcome === "plain" ? receiveSafely(plain.bytes, parts) : turnAway(plain, parts);
  // The receiver keeps nothing of it.
  if (plain.outcome === "plain" && plain.bytes !== call.request) releaseOwnBuffer(plain.bytes);
  parts.pace.noteGarbage(plain.garbageBytes);
  releaseBytes(call.request);
  if (receipt.outcome !== "accepted" || receipt.unknown !== undefined) {
    noteAnswer(parts.problems, receipt, { protocol: "grpc", address: addressOf(call) });
  }
  return receipt;
}

/** Without the port. */
function addressOf(call: ServerUnaryCall<Buffer, Buffer>): string {
  return call.getPeer().replace(/:\d+$/, "");
}

function answer(receipt: Receipt, respond: sendUnaryData<Buffer>): void {
  if (receipt.outcome === "accepted") respond(null, NO_BYTES);
  else if (isSuccess(receipt)) respond(null, bufferOver(encodeExportResponse(receipt)));
  else respond(statusOf(receipt));
}

function statusOf(receipt: FailureReceipt) {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", bufferOver(encodeStatus(receipt)));
  // Half a surrogate pair would make grpc-js throw when it encodes the text for the trailers.
  const details = receipt.message.slice(0, MAX_DETAILS_LENGTH).toWellFormed();
  return { code: STATUS_TABLE[receipt.outcome].grpcCode, details, metadata };
}
