import type { Written } from "../api-messages/message.ts";
import type { missedSpans } from "../api-messages/messages.ts";
import { type Cursor, readCursor } from "../../domain/cursor.ts";
import { type TailPiece, tailSpans } from "../../application/waiting/tail-spans.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import { type Chunk, streamArrivingChunks } from "./answer-stream.ts";
import { cancelledBy, type HeldAnswer, heldBuffer } from "./answer-budget.ts";
import {
  ANSWER_HEADERS,
  logFault,
  type Problem,
  problemResponse,
  RETRY_SOON,
  STOPPING,
} from "./problem.ts";
import { badParameter, goneCursor } from "./query.ts";
import {
  chooseMediaType,
  EVENT_STREAM_TYPE,
  NDJSON_TYPE,
  TAIL_TYPES,
  type TailType,
} from "./media-type.ts";
import type { Asked, RouteContext } from "./route.ts";
import { notAcceptable } from "./span-answer.ts";
import type { TailPermit, TailPermits } from "./tail-permits.ts";
import { timerMs } from "../../domain/time.ts";
import { type LineFrame, PLAIN_LINE, spanLineChunks } from "../otlp/json/span-lines.ts";

/** At a time. Each looks at every span that arrives by itself, and ingest waits for that. */
export const MAX_TAILS = 64;

/** Proxies close what is silent for a minute, most of them. */
const BEAT_MS = 15_000;

export const LAST_EVENT_ID = "Last-Event-ID";

function tooMany({ limit }: TailPermits): Problem {
  const detail = `${limit} readers follow already`;
  return { status: 503, detail, headers: RETRY_SOON };
}

type TailAsked = Asked<{ readonly after: Cursor | undefined }>;

export function answerTail(context: RouteContext, asked: TailAsked): Response {
  const type = chooseMediaType(asked.request.headers.get("accept"), TAIL_TYPES);
  if (type === undefined) return problemResponse(notAcceptable(TAIL_TYPES));
  const after = beginOf(context, asked);
  if (typeof after !== "number") return problemResponse(after);
  if (context.stopping.aborted) return problemResponse(STOPPING);
  const breaking = new AbortController();
  const place = context.tails.take(() => breaking.abort());
  if (place === undefined) return problemResponse(tooMany(context.tails));
  // A reader who is slow is not one who has gone: see `TailPermits`.
  context.allowIdling(asked.request, true);
  return follow(context, asked, { type, after, place, brokenOff: breaking.signal });
}

/**
 * Returns the sequence after which to begin. A browser that lost its connection sends the
 * identifier of the last event it got, and that decides.
 */
function beginOf(context: RouteContext, { values, request }: TailAsked): number | Problem {
  const text = request.headers.get(LAST_EVENT_ID);
  const newest = context.buffer.range().next - 1;
  if (text === null || text === "") return values.after?.sequence ?? newest;
  const cursor = readCursor(text);
  if (cursor !== undefined) return goneCursor(context, cursor, LAST_EVENT_ID) ?? cursor.sequence;
  const bound = "it must be the identifier of an event";
  return badParameter(LAST_EVENT_ID, `${LAST_EVENT_ID} is "${quotePeerText(text)}"; ${bound}`);
}

interface Tail {
  readonly type: TailType;
  readonly after: number;
  readonly place: TailPermit;
  readonly brokenOff: AbortSignal;
}

function follow(
  { buffer, arrivals, budget, runId, stopping, logger, allowIdling }: RouteContext,
  { filter, request }: TailAsked,
  { type, after, place, brokenOff }: Tail,
): Response {
  const form = TAIL_FORMS[type];
  const held = budget.begin();
  const cancellation = cancelledBy([request.signal, stopping]);
  const pieces = tailSpans(
    { buffer: heldBuffer(buffer, { held, ended: cancellation.signal }), arrivals },
    { filter, after, cancelled: cancellation.signal },
  );
  const chunks = tellPlace(
    withBeats(tailChunks(pieces, { form, held, runId }), form, BEAT_MS),
    place,
  );
  const ended = (): void => {
    cancellation.cancel();
    cancellation.clear();
    held.release();
    place.leave();
    // What is still to be sent is sent to a reader who reads, or not for long.
    allowIdling(request, false);
  };
  const failed = (error: unknown): void => {
    ended();
    logFault(logger, error);
  };
  const first = { "Spanring-First-Sequence": String(after + 1) };
  const headers = { ...ANSWER_HEADERS, "Content-Type": type, Vary: "Accept", ...first };
  return new Response(streamArrivingChunks(chunks, { ended, failed }, brokenOff), { headers });
}

/** A chunk lies there until its reader wants the next one. */
async function* tellPlace(
  chunks: AsyncIterable<Chunk>,
  place: TailPermit,
): AsyncGenerator<Chunk, void> {
  for await (const chunk of chunks) {
    place.gave();
    yield chunk;
    place.took();
  }
}

/** How a tail is written in one form. */
export interface TailForm {
  readonly line: LineFrame;
  readonly missed: (spanCount: number) => string;
  /** Means nothing to the reader. It shows that the connection lives, on both of its ends. */
  readonly beat: string;
}

export const TAIL_FORMS: Readonly<Record<TailType, TailForm>> = {
  [NDJSON_TYPE]: {
    line: PLAIN_LINE,
    missed: (spanCount) => `${missedLine(spanCount)}\n`,
    // An empty line, which readers of NDJSON skip.
    beat: "\n",
  },
  // Source: HTML, 9.2.6, interpreting an event stream. A line that begins with a colon is ignored.
  [EVENT_STREAM_TYPE]: {
    line: { before: (cursor) => `id: ${cursor}\ndata: `, after: "\n\n" },
    missed: (spanCount) => `event: missed\ndata: ${missedLine(spanCount)}\n\n`,
    beat: ":\n\n",
  },
};

function missedLine(missed: number): string {
  const line: Written<typeof missedSpans> = { missed };
  return JSON.stringify(line);
}

export interface TailWriting {
  readonly form: TailForm;
  readonly held: HeldAnswer;
  readonly runId: string;
}

/** What the reader missed comes before what it gets next. A piece is held until it is sent. */
export async function* tailChunks(
  pieces: AsyncIterable<TailPiece>,
  { form: { line, missed }, held, runId }: TailWriting,
): AsyncGenerator<Chunk, void> {
  for await (const piece of pieces) {
    const missedSpans = piece.missedSpans + held.takeRefused();
    if (missedSpans > 0) yield encode(missed(missedSpans));
    yield* spanLineChunks(piece, runId, line);
    held.release();
  }
}

/**
 * The same with a beat whenever nothing else came for a while, and one at the beginning: only then
 * does Bun send the headers, and the reader knows that it follows. A reader who takes no chunk gets
 * no beat either.
 */
export async function* withBeats(
  chunks: AsyncIterator<Chunk>,
  { beat }: TailForm,
  everyMs: number,
): AsyncGenerator<Chunk, void> {
  yield encode(beat);
  let next = chunks.next();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one chunk after the other is the point
    const result = await firstOf(next, everyMs);
    if (result?.done === true) return;
    yield result?.value ?? encode(beat);
    if (result !== undefined) next = chunks.next();
  }
}

/** Undefined when the time is up first. */
async function firstOf<Value>(value: Promise<Value>, timeMs: number): Promise<Value | undefined> {
  const { promise: timeUp, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), timerMs(timeMs));
  try {
    return await Promise.race([value, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

function encode(text: string): Chunk {
  return new TextEncoder().encode(text);
}
