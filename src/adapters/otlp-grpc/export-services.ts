import { releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import type { ProblemLog } from "../../ports/logger.ts";
import type { FairTurns } from "../listening/fair-turns.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import { type Answer, encodeExportResponse, isSuccess } from "../otlp/export-response.ts";
import { noteAnswer, receiveSafely, type SafelyParts, turnAway } from "../otlp/receive-request.ts";
import { callFailure, TRACE_SERVICE, type UnaryCall, type UnaryMethod } from "./call-handlers.ts";
import { type EncodedMessage, type PlainMessage, plainMessage } from "./message-encoding.ts";
import {
  UNSUPPORTED_SIGNALS,
  type UnsupportedSignal,
} from "../../application/receiving/unsupported-signals.ts";
import { type DiscardParts, discardItems } from "../otlp/discard-items.ts";

interface TraceServiceParts extends SafelyParts, LaterParts {
  /** The limit after decompression; `UnaryStream` applies the same limit before it. */
  readonly maxMessageBytes: number;
  readonly pace: CollectionPace;
  readonly problems: ProblemLog;
}

export const EXPORT_PATH = `/${TRACE_SERVICE}/Export`;

/**
 * Returns the method that receives traces. It answers in the turn of the event loop that brought
 * the last byte: no promise, no timer, one buffer. Only compressed messages may have to wait.
 */
export function exportMethod(parts: TraceServiceParts): UnaryMethod {
  return {
    path: EXPORT_PATH,
    handler: (call) => answerInTurn(call, parts, () => answerExport(call, parts)),
  };
}

interface LaterParts {
  readonly turns: FairTurns;
}

/**
 * Answers at once, or as a step of a later turn of the event loop if this one may have too little
 * time: a few kilobytes may decompress to the largest message.
 */
function answerInTurn(call: UnaryCall, { turns }: LaterParts, answer: () => void): void {
  if (call.message.flag === 0 || turns.hasTime()) return answer();
  const step = (): false => {
    if (!call.hasEnded) answer();
    return false;
  };
  turns.queue({ sender: call.address, step });
}

function answerExport(call: UnaryCall, parts: TraceServiceParts): void {
  const answer = answerTo(call, parts);
  if (answer instanceof Promise) void answer.then((later) => finish(later, call, parts));
  else finish(answer, call, parts);
}

/** Returns the answer; a promise of it if the spans must first reach the disk. */
function answerTo({ message }: UnaryCall, parts: TraceServiceParts): Answer | Promise<Answer> {
  const plain = plainMessage(message, parts.maxMessageBytes);
  const answer =
    plain.outcome === "plain" ? receiveSafely(plain.bytes, parts) : refuse(plain, parts);
  // The receiver has its own copy.
  if (plain.outcome === "plain" && plain.bytes !== message.bytes) releaseOwnBuffer(plain.bytes);
  if (plain.garbageBytes > 0) parts.pace.noteGarbage(plain.garbageBytes);
  return answer;
}

function finish(answer: Answer, call: UnaryCall, { problems }: TraceServiceParts): void {
  noteAnswer(problems, answer, { protocol: "grpc", peer: call });
  send(answer, call);
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

function send(answer: Answer, call: UnaryCall): void {
  if (isSuccess(answer)) call.succeed(encodeExportResponse(answer));
  else call.fail(callFailure(answer));
}

export const UNSUPPORTED_PATHS = {
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
} as const;

interface UnsupportedServiceParts extends DiscardParts, LaterParts {
  /** The limit after decompression; `UnaryStream` applies the same limit before it. */
  readonly maxMessageBytes: number;
  readonly pace: CollectionPace;
  readonly problems: ProblemLog;
}

/**
 * Returns the methods for metrics and logs: they answer success, with the warning that all items
 * were discarded.
 */
export function unsupportedMethods(parts: UnsupportedServiceParts): UnaryMethod[] {
  return UNSUPPORTED_SIGNALS.map((signal) => ({
    path: UNSUPPORTED_PATHS[signal],
    handler: (call) => {
      answerInTurn(call, parts, () => send(answerDiscarded(call, { parts, signal }), call));
    },
  }));
}

interface Discarding {
  readonly parts: UnsupportedServiceParts;
  readonly signal: UnsupportedSignal;
}

function answerDiscarded(call: UnaryCall, { parts, signal }: Discarding): Answer {
  const answer = discard(call.message, { parts, signal });
  noteAnswer(parts.problems, answer, { protocol: "grpc", peer: call, signal });
  return answer;
}

function discard(message: EncodedMessage, { parts, signal }: Discarding): Answer {
  const plain = plainMessage(message, parts.maxMessageBytes);
  const request = { signal, protocol: "grpc", format: "protobuf" } as const;
  const answer = plain.outcome === "plain" ? discardItems(plain.bytes, request, parts) : plain;
  if (plain.outcome === "plain" && plain.bytes !== message.bytes) releaseOwnBuffer(plain.bytes);
  parts.pace.noteGarbage(plain.garbageBytes);
  return answer;
}
