import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { releaseBytes, releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import type { ProblemLog } from "../../ports/logger.ts";
import type { FairTurns } from "../listening/fair-turns.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import { type Answer, encodeExportResponse, isSuccess } from "../otlp/export-response.ts";
import { noteAnswer, receiveSafely, type SafelyParts, turnAway } from "../otlp/receive-request.ts";
import { callFailure, addressOf, bufferOver, TRACE_SERVICE, type Method } from "./call-handlers.ts";
import {
  type EncodedMessage,
  isCompressed,
  type PlainMessage,
  plainMessage,
} from "./message-encoding.ts";
import {
  UNSUPPORTED_SIGNALS,
  type UnsupportedSignal,
} from "../../application/receiving/unsupported-signals.ts";
import { type DiscardParts, discardItems } from "../otlp/discard-items.ts";

interface TraceServiceParts extends SafelyParts, LaterParts {
  /** The limit after decompression; grpc-js applies the same limit before it. */
  readonly maxMessageBytes: number;
  readonly pace: CollectionPace;
  readonly problems: ProblemLog;
}

export const EXPORT_PATH = `/${TRACE_SERVICE}/Export`;

const NO_BYTES = Buffer.alloc(0);

/**
 * Returns the method that receives traces. It answers in the turn of the event loop that brought
 * the last byte: no promise, no timer, one buffer. Only compressed messages may have to wait.
 */
export function exportMethod(parts: TraceServiceParts): Method {
  return {
    path: EXPORT_PATH,
    type: "unary",
    handler: (call, respond) =>
      answerInTurn(call, parts, () => send(answerTo(call, parts), respond)),
  };
}

type Call = ServerUnaryCall<Buffer, Buffer>;

interface LaterParts {
  readonly turns: FairTurns;
}

/**
 * Answers at once, or as a step of a later turn of the event loop if this one may have too little
 * time: a few kilobytes may decompress to the largest message.
 */
function answerInTurn(call: Call, { turns }: LaterParts, answer: () => void): void {
  if (!isCompressed(call) || turns.hasTime()) return answer();
  const step = (): false => {
    if (!hasEnded(call)) answer();
    return false;
  };
  turns.queue({ step });
}

/** The message of a call that has ended is freed, which may be before the call is cancelled. */
function hasEnded({ cancelled, request: { buffer } }: Call): boolean {
  return cancelled || (buffer instanceof ArrayBuffer && buffer.detached);
}

function answerTo(call: ServerUnaryCall<Buffer, Buffer>, parts: TraceServiceParts): Answer {
  const plain = plainMessage(call, parts.maxMessageBytes);
  const answer =
    plain.outcome === "plain" ? receiveSafely(plain.bytes, parts) : refuse(plain, parts);
  // The ring has its own copy.
  if (plain.outcome === "plain" && plain.bytes !== call.request) releaseOwnBuffer(plain.bytes);
  parts.pace.noteGarbage(plain.garbageBytes);
  releaseBytes(call.request);
  if (answer.outcome !== "accepted" || answer.unknown !== undefined) {
    noteAnswer(parts.problems, answer, { protocol: "grpc", address: addressOf(call) });
  }
  return answer;
}

/**
 * Counts a message that cannot be decompressed as malformed or too large, but not one in an
 * unsupported encoding.
 */
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

interface UnsupportedServiceParts extends DiscardParts, LaterParts {
  /** The limit after decompression; grpc-js applies the same limit before it. */
  readonly maxMessageBytes: number;
  readonly pace: CollectionPace;
  readonly problems: ProblemLog;
}

/**
 * Returns the methods for metrics and logs: they answer success, with the warning that all items
 * were discarded.
 */
export function unsupportedMethods(parts: UnsupportedServiceParts): Method[] {
  return UNSUPPORTED_SIGNALS.map((signal) => ({
    path: UNSUPPORTED_PATHS[signal],
    type: "unary",
    handler: (call, respond) => {
      answerInTurn(call, parts, () => answerDiscarded(call, respond, { parts, signal }));
    },
  }));
}

function answerDiscarded(
  call: ServerUnaryCall<Buffer, Buffer>,
  respond: sendUnaryData<Buffer>,
  {
    parts,
    signal,
  }: { readonly parts: UnsupportedServiceParts; readonly signal: UnsupportedSignal },
): void {
  const answer = discard(parts, signal, call);
  noteAnswer(parts.problems, answer, { protocol: "grpc", address: addressOf(call), signal });
  if (isSuccess(answer)) respond(null, bufferOver(encodeExportResponse(answer)));
  else respond(callFailure(answer));
}

function discard(
  parts: UnsupportedServiceParts,
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
