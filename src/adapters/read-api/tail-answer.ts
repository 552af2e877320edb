import { type Cursor, readCursor } from "../../domain/cursor.ts";
import { tailSpans } from "../../application/waiting/tail-spans.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import { type Chunk, streamArrivingChunks } from "./answer-stream.ts";
import { cancelledBy } from "./cancellation.ts";
import { logFault } from "./fault.ts";
import { goneCursor } from "./gone-cursor.ts";
import { heldBuffer } from "./held-buffer.ts";
import { chooseMediaType, TAIL_TYPES, type TailType } from "./media-type.ts";
import { ANSWER_HEADERS, type Problem, problemResponse, RETRY_SOON, STOPPING } from "./problem.ts";
import { badParameter } from "./query.ts";
import type { Asked, RouteContext } from "./route.ts";
import { notAcceptable } from "./span-answer.ts";
import { TAIL_FORMS, tailChunks, withBeats } from "./tail-chunks.ts";
import type { TailPermit, TailPermits } from "./tail-permits.ts";

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
