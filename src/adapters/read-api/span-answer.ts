import type { Written } from "../api-messages/message.ts";
import type { sequenceRange } from "../api-messages/sequence-range.ts";
import { releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import type { Logger } from "../../ports/logger.ts";
import { otlpJsonChunks } from "../otlp/json/otlp-json.ts";
import { spanLineChunks } from "../otlp/json/span-lines.ts";
import type { AnswerBudget, HeldAnswer } from "./answer-budget.ts";
import { type Chunk, streamChunks } from "./answer-stream.ts";
import { STREAMED } from "./http1/send-response.ts";
import {
  ANSWER_HEADERS,
  BUSY,
  logFault,
  type Problem,
  ProblemError,
  problemResponse,
} from "./problem.ts";
import {
  chooseMediaType,
  JSON_TYPE,
  NDJSON_TYPE,
  SPAN_TYPES,
  type SpanType,
} from "./media-type.ts";
import type { CopiedSpans, SequenceRange } from "../../ports/trace-buffer.ts";

const PIECE_BYTES = 64 * 1024;
const LINE_END = Uint8Array.of(0x0a);

/** Parts that all answers which hold memory share. */
export interface HeldAnswerParts {
  readonly budget: AnswerBudget;
  /** Identifies the run that numbers the spans. */
  readonly runId: string;
  readonly logger: Logger;
}

/**
 * Begins an answer that will hold about this much. Throws a `ProblemError` when the answers under
 * way hold too much.
 */
export function holdAnswer({ budget }: Pick<HeldAnswerParts, "budget">, bytes = 0): HeldAnswer {
  const held = budget.begin();
  if (budget.hasRoom() && held.mayGrow(bytes)) {
    held.reserve(bytes);
    return held;
  }
  throw new ProblemError(BUSY);
}

/** Returns the form of spans that the client prefers. Throws a `ProblemError` if it takes none. */
export function spanTypeFor({ headers }: Pick<Request, "headers">): SpanType {
  const type = chooseMediaType(headers.get("accept"), SPAN_TYPES);
  if (type !== undefined) return type;
  throw new ProblemError(notAcceptable(SPAN_TYPES));
}

export function notAcceptable(types: readonly string[]): Problem {
  const last = types.at(-1);
  const detail = `Accept must allow ${types.slice(0, -1).join(", ")} or ${last}`;
  return { status: 406, detail };
}

export interface SpanAnswerBody {
  readonly type: SpanType;
  /** The spans, in one copy or several. */
  readonly spans: readonly CopiedSpans[];
  readonly range: SequenceRange;
}

export function spansResponse(
  parts: HeldAnswerParts,
  held: HeldAnswer,
  { type, spans, range }: SpanAnswerBody,
): Response {
  const headers = { "Content-Type": type, Vary: "Accept", ...rangeHeaders(range) };
  return heldResponse(parts, held, {
    status: 200,
    headers,
    chunks: chunksOf(type, spans, parts.runId),
  });
}

/** Reports which spans were searched: first <= sequence < next. */
export function rangeHeaders({ first, next }: SequenceRange): Record<string, string> {
  return { "Spanring-First-Sequence": String(first), "Spanring-Next-Sequence": String(next) };
}

/** Returns the range as a member of a JSON body, with the run that numbers its spans. */
export function rangeMember(
  runId: string,
  { first, next }: SequenceRange,
): Written<typeof sequenceRange> {
  return { run_id: runId, first, next };
}

export interface HeldBody {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: Iterator<Chunk>;
}

/** Releases what is held when the whole answer has been sent, or when the reader has gone. */
export function heldResponse(
  { logger }: HeldAnswerParts,
  held: HeldAnswer,
  { status, headers, chunks }: HeldBody,
): Response {
  if (held.refusedSpans > 0) return problemResponse(BUSY);
  const ended = (): void => held.release();
  const failed = (error: unknown): void => {
    held.release();
    logFault(logger, error);
  };
  const body = streamChunks(chunks, { ended, failed });
  held.handOver();
  return new Response(body, { status, headers: { ...ANSWER_HEADERS, ...STREAMED, ...headers } });
}

/** Releases the bytes, also if the reader has gone: an answer may be as large as the ring. */
function* chunksOf(type: SpanType, spans: readonly CopiedSpans[], runId: string): Generator<Chunk> {
  try {
    if (type === JSON_TYPE) yield* jsonLine(spans);
    else if (type === NDJSON_TYPE) yield* lines(spans, runId);
    else for (const request of releasedAfterUse(spans)) yield* pieces(request);
  } finally {
    for (const { request } of spans) releaseOwnBuffer(request);
  }
}

/** Adds a line end, so that responses do not run together on a terminal. */
function* jsonLine(spans: readonly CopiedSpans[]): Generator<Chunk> {
  yield* otlpJsonChunks(releasedAfterUse(spans));
  yield LINE_END;
}

function* lines(spans: readonly CopiedSpans[], runId: string): Generator<Chunk> {
  for (const part of spans) {
    yield* spanLineChunks(part, runId);
    releaseOwnBuffer(part.request);
  }
}

/** Yields each request, and releases it when the next one is wanted. */
function* releasedAfterUse(spans: readonly CopiedSpans[]): Generator<Chunk> {
  for (const { request } of spans) {
    yield request;
    releaseOwnBuffer(request);
  }
}

/** Yields copies of pieces, so that the whole is freed even if a slow reader holds some pieces. */
export function* pieces(bytes: Chunk): Generator<Chunk> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.slice(at, at + PIECE_BYTES);
}
