import type { Logger } from "../../ports/logger.ts";
import { otlpJsonChunks } from "../otlp/otlp-json.ts";
import type { AnswerBudget } from "./answer-budget.ts";
import { streamChunks } from "./answer-stream.ts";
import { logFault } from "./fault.ts";
import { chooseMediaType, JSON_TYPE, type MediaType } from "./media-type.ts";
import { ANSWER_HEADERS, type Problem, problemResponse } from "./problem.ts";
import { readLimit } from "./query.ts";

const PIECE_BYTES = 64 * 1024;
const LINE_END = Uint8Array.of(0x0a);

/** What is the same for every request for spans. */
export interface SpanAnswerParts {
  readonly budget: AnswerBudget;
  readonly logger: Logger;
}

export interface SpanRequest {
  readonly query: URLSearchParams;
  readonly accept: string | null;
  /** Called only when the request can be answered: what it takes is not lost to a mistake in it. */
  readonly read: (spanCount: number) => Uint8Array<ArrayBuffer>;
}

export function answerSpans(parts: SpanAnswerParts, request: SpanRequest): Response {
  const limit = readLimit(request.query);
  if (typeof limit !== "number") return problemResponse(limit);
  const mediaType = chooseMediaType(request.accept);
  if (mediaType === undefined) return problemResponse(NOT_ACCEPTABLE);
  if (!parts.budget.hasRoom()) return problemResponse(BUSY);
  return spanResponse(parts, request.read(limit), mediaType);
}

const NOT_ACCEPTABLE: Problem = {
  status: 406,
  detail: "Accept must allow application/json or application/x-protobuf",
};

const BUSY: Problem = {
  status: 503,
  detail: "too many answers are waiting for their readers; nothing was taken",
  headers: { "Retry-After": "1" },
};

function spanResponse(
  { budget, logger }: SpanAnswerParts,
  spans: Uint8Array<ArrayBuffer>,
  mediaType: MediaType,
): Response {
  const chunks = mediaType === JSON_TYPE ? jsonLine(spans) : pieces(spans);
  const release = budget.hold(spans.length);
  const failed = (error: unknown): void => {
    release();
    logFault(logger, error);
  };
  const headers = { ...ANSWER_HEADERS, "Content-Type": mediaType, Vary: "Accept" };
  try {
    return new Response(streamChunks(chunks, { ended: release, failed }), { headers });
  } catch (error) {
    release();
    throw error;
  }
}

/** With a line end: the answer of one command does not run into the next one's in a terminal. */
function* jsonLine(spans: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  yield* otlpJsonChunks(spans);
  yield LINE_END;
}

function* pieces(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield bytes.subarray(at, at + PIECE_BYTES);
  }
}
