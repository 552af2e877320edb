import { releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import type { Written } from "../api-messages/message.ts";
import type { missedSpans } from "../api-messages/messages.ts";
import { type Cursor, readCursor } from "../../domain/cursor.ts";
import { type TailPiece, tailSpans } from "../../application/waiting/tail-spans.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import { type Chunk, streamArrivingChunks, type StreamWatcher } from "./answer-stream.ts";
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
import { STREAMED } from "./http1/send-response.ts";
import type { ParsedRequest, RouteContext } from "./route.ts";
import { notAcceptable } from "./span-answer.ts";
import type { TailPermit, TailPermits } from "./tail-permits.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { type LineFrame, PLAIN_LINE, spanLineChunks } from "../otlp/json/span-lines.ts";

/** Bounds the readers that follow, because each matches every new span, which delays receiving. */
export const MAX_TAILS = 64;

/** The interval of beats, because most proxies close a connection after a minute of silence. */
const BEAT_MS = 15_000;

export const LAST_EVENT_ID = "Last-Event-ID";

function tooMany({ limit }: TailPermits): Problem {
  const detail = `${limit} tails are already open, which is the maximum`;
  return { status: 503, detail, headers: RETRY_SOON };
}

type ParsedTail = ParsedRequest<{ readonly after: Cursor | undefined }>;

export function answerTail(context: RouteContext, parsed: ParsedTail): Response {
  const { request, filter } = parsed;
  const { clock, runId } = context;
  const type = chooseMediaType(request.headers.get("accept"), TAIL_TYPES);
  if (type === undefined) return problemResponse(notAcceptable(TAIL_TYPES));
  const after = beginOf(context, parsed);
  if (typeof after !== "number") return problemResponse(after);
  if (context.stopping.aborted) return problemResponse(STOPPING);
  using resources = new DisposableStack();
  const breaking = new AbortController();
  const permit = context.tails.take(() => breaking.abort());
  if (permit === undefined) return problemResponse(tooMany(context.tails));
  resources.use(permit);
  // A slow reader is not disconnected for silence: see `TailPermits`.
  context.allowIdling(request, true);
  resources.defer(() => context.allowIdling(request, false));
  const held = resources.use(context.budget.begin());
  const { signal } = resources.use(cancelledBy([request.signal, ...endsOf(context)]));
  const buffer = heldBuffer(context.buffer, { held, ended: signal });
  const parts = { buffer, arrivals: context.arrivals };
  const pieces = tailSpans(parts, { filter, after, cancelled: signal });
  const writing = { form: TAIL_FORMS[type], held, runId };
  const chunks = withBeats(tailChunks(pieces, writing), writing.form, {
    clock,
    everyMs: BEAT_MS,
  });
  const first = { "Spanring-First-Sequence": String(after + 1) };
  const form = { "Content-Type": type, Vary: "Accept", ...STREAMED };
  const headers = { ...ANSWER_HEADERS, ...form, ...first };
  const watcher = watcherOf(resources.move(), context.logger);
  const body = streamArrivingChunks(notePauses(chunks, permit), watcher, breaking.signal);
  return new Response(body, { headers });
}

/** A tail ends when the tokens change: its own may be revoked. Its reader connects again. */
function endsOf({ stopping, gate }: RouteContext): AbortSignal[] {
  return gate === undefined ? [stopping] : [stopping, gate.changed];
}

function watcherOf(resources: Disposable, logger: Logger): StreamWatcher {
  const ended = (): void => resources[Symbol.dispose]();
  const failed = (error: unknown): void => {
    ended();
    logFault(logger, error);
  };
  return { ended, failed };
}

/**
 * Returns the sequence after which to begin. If a browser has lost its connection, this is the
 * identifier of the last event that it received.
 */
function beginOf(context: RouteContext, { values, request }: ParsedTail): number | Problem {
  const text = request.headers.get(LAST_EVENT_ID);
  const newest = context.buffer.range().next - 1;
  if (text === null || text === "") return values.after?.sequence ?? newest;
  const cursor = readCursor(text);
  if (cursor !== undefined) return goneCursor(context, cursor, LAST_EVENT_ID) ?? cursor.sequence;
  const bound = "it must be the identifier of an event";
  return badParameter(LAST_EVENT_ID, `${LAST_EVENT_ID} is "${quotePeerText(text)}"; ${bound}`);
}

/** Notes how long each chunk waits for its reader, until the reader wants the next one. */
async function* notePauses(
  chunks: AsyncIterable<Chunk>,
  permit: TailPermit,
): AsyncGenerator<Chunk, void> {
  for await (const chunk of chunks) {
    permit.gave();
    yield chunk;
    permit.took();
  }
}

/** Describes how a tail is written in one form. */
export interface TailForm {
  readonly line: LineFrame;
  readonly missed: (spanCount: number) => string;
  /** A piece without meaning, which shows both ends that the connection is alive. */
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

/**
 * Reports missed spans before the next ones. A piece is held until it has been sent, or until the
 * reader has gone. Then its memory is freed at once: a large span takes megabytes.
 */
export async function* tailChunks(
  pieces: AsyncIterable<TailPiece>,
  { form: { line, missed }, held, runId }: TailWriting,
): AsyncGenerator<Chunk, void> {
  for await (const piece of pieces) {
    const missedSpans = piece.missedSpans + held.takeRefused();
    try {
      if (missedSpans > 0) yield encode(missed(missedSpans));
      yield* spanLineChunks(piece, runId, line);
    } finally {
      releaseOwnBuffer(piece.request);
      held.release();
    }
  }
}

/**
 * Adds a beat after each silence of `everyMs`, and one at the beginning: Bun sends the headers with
 * the first chunk (`test/quirks/bun-servers.test.ts`), so the reader learns that it follows. A
 * reader that takes no chunk gets no beat.
 */
export async function* withBeats(
  chunks: AsyncIterator<Chunk>,
  { beat }: Pick<TailForm, "beat">,
  { clock, everyMs }: { readonly clock: SleepingClock; readonly everyMs: number },
): AsyncGenerator<Chunk, void> {
  try {
    yield encode(beat);
    let next = chunks.next();
    for (;;) {
      const silence = new AbortController();
      const beatDue = clock.sleep(everyMs, silence.signal).then(() => undefined);
      // oxlint-disable-next-line no-await-in-loop -- chunks are sent one after the other
      const result = await Promise.race([next, beatDue]).finally(() => silence.abort());
      if (result?.done === true) return;
      yield result?.value ?? encode(beat);
      if (result !== undefined) next = chunks.next();
    }
  } finally {
    await chunks.return?.();
  }
}

function encode(text: string): Chunk {
  return new TextEncoder().encode(text);
}
