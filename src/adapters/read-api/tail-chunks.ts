import { timerMs } from "../../domain/time.ts";
import type { TailPiece } from "../../application/waiting/tail-spans.ts";
import { type LineFrame, PLAIN_LINE, spanLineChunks } from "../otlp/json/span-lines.ts";
import type { HeldAnswer } from "./answer-budget.ts";
import type { Chunk } from "./answer-stream.ts";
import { EVENT_STREAM_TYPE, NDJSON_TYPE, type TailType } from "./media-type.ts";

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
    missed: (missed) => `${JSON.stringify({ missed })}\n`,
    // An empty line, which readers of NDJSON skip.
    beat: "\n",
  },
  // Source: HTML, 9.2.6, interpreting an event stream. A line that begins with a colon is ignored.
  [EVENT_STREAM_TYPE]: {
    line: { before: (cursor) => `id: ${cursor}\ndata: `, after: "\n\n" },
    missed: (missed) => `event: missed\ndata: ${JSON.stringify({ missed })}\n\n`,
    beat: ":\n\n",
  },
};

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
