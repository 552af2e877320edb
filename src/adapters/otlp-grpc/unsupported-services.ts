import { releaseBytes, releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import {
  UNSUPPORTED_SIGNALS,
  type UnsupportedSignal,
} from "../../application/receiving/unsupported-signals.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import { type DiscardParts, discardItems } from "../otlp/discard-items.ts";
import { noteAnswer } from "../otlp/note-answer.ts";
import { type Answer, encodeExportResponse, isSuccess } from "../otlp/export-response.ts";
import { callFailure } from "./call-failure.ts";
import { addressOf, bufferOver } from "./call-handlers.ts";
import type { Method } from "./call-handlers.ts";
import { type EncodedMessage, plainMessage } from "./message-encoding.ts";

export const UNSUPPORTED_PATHS = {
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
} as const;

export interface UnkeptServiceParts extends DiscardParts {
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
