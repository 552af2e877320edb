import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { releaseBytes, releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import { type Answer, encodeExportResponse, isSuccess } from "../otlp/export-response.ts";
import { noteAnswer, receiveSafely, type SafelyParts, turnAway } from "../otlp/receive-request.ts";
import { callFailure, addressOf, bufferOver, TRACE_SERVICE, type Method } from "./call-handlers.ts";
import { type PlainMessage, plainMessage, type EncodedMessage } from "./message-encoding.ts";
import {
  UNSUPPORTED_SIGNALS,
  type UnsupportedSignal,
} from "../../application/receiving/unsupported-signals.ts";
import { type DiscardParts, discardItems } from "../otlp/discard-items.ts";

interface TraceServiceParts extends SafelyParts {
  /** After decompression; before it, grpc-js keeps the same limit. */
  readonly maxMessageBytes: number;
  readonly pace: CollectionPace;
  readonly problems: ProblemLog;
}

export const EXPORT_PATH = `/${TRACE_SERVICE}/Export`;

const NO_BYTES = Buffer.alloc(0);

/** Answers at once, in the tick that brought the last byte: no promise, no timer, one buffer. */
export function exportMethod(parts: TraceServiceParts): Method {
  return {
    path: EXPORT_PATH,
    type: "unary",
    handler: (call, respond) => send(answerTo(call, parts), respond),
  };
}

function answerTo(call: ServerUnaryCall<Buffer, Buffer>, parts: TraceServiceParts): Answer {
  const plain = plainMessage(call, parts.maxMessageBytes);
  const answer =
    plain.outcome === "plain" ? receiveSafely(plain.bytes, parts) : refuse(plain, parts);
  // The receiver keeps nothing of it.
  if (plain.outcome === "plain" && plain.bytes !== call.request) releaseOwnBuffer(plain.bytes);
  parts.pace.noteGarbage(plain.garbageBytes);
  releaseBytes(call.request);
  if (answer.outcome !== "accepted" || answer.unknown !== undefined) {
    noteAnswer(parts.problems, answer, { protocol: "grpc", address: addressOf(call) });
  }
  return answer;
}

/** What cannot be decompressed is counted as what it would be, and another encoding as nothing. */
function refuse(plain: Exclude<PlainMessage, { outcome: "plain" }>, parts: TraceServiceParts) {
  if (plain.outcome === "unsupported_encoding") return plain;
  if (plain.outcome !== "malformed_frame") return turnAway(plain, parts);
  parts.receiver.turnedAway?.("malformed");
  return plain;
}

function send(answer: Answer, respond: sendUnaryData<Buffer>): void {
  if (answer.outcome === "accepted") respond(null, NO_BYTES);
  else if (isSuccess(answer)) respond(null, bufferOver(encodeExportResponse(answer)));
  else respond(callFailure(answer));
}

export const UNSUPPORTED_PATHS = {
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
} as const;

interface UnkeptServiceParts extends DiscardParts {
  /** After decompression; before it, grpc-js keeps the same limit. */
  readonly maxMessageBytes: number;
  readonly pace: CollectionPace;
  readonly problems: ProblemLog;
}

/** Success, with a warning that nothing is kept. A message may be as long as one with spans. */
export function unsupportedMethods(parts: UnkeptServiceParts): Method[] {
  return UNSUPPORTED_SIGNALS.map((signal) => ({
    path: UNSUPPORTED_PATHS[signal],
    type: "unary",
    handler: (call, respond) => {
      const answer = discard(parts, signal, call);
      noteAnswer(parts.problems, answer, { protocol: "grpc", address: addressOf(call), signal });
      if (isSuccess(answer)) respond(null, bufferOver(encodeExportResponse(answer)));
      else respond(callFailure(answer));
    },
  }));
}

function discard(
  parts: UnkeptServiceParts,
  signal: UnsupportedSignal,
  call: EncodedMessage,
): Answer {
  const plain = plainMessage(call, parts.maxMessageBytes);
  const request = { signal, protocol: "grpc", format: "protobuf" } as const;
  const answer = plain.outcome === "plain" ? discardItems(plain.bytes, request, parts) : plain;
  if (plain.outcome === "plain" && plain.bytes !== call.request) releaseOwnBuffer(plain.bytes);
  parts.pace.noteGarbage(plain.garbageBytes);
  releaseBytes(call.request);
  return answer;
}
