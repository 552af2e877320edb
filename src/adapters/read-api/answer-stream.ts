import { PROCESS_PACE } from "../memory/collection-pace.ts";
import { ChunkTurns } from "./chunk-turns.ts";

/** Watches a stream. One of its methods is called, once, when the stream ends. */
export interface StreamWatcher {
  /** The stream was sent whole, or its reader has gone. */
  ended(): void;
  /** An internal error occurred after the answer had begun. */
  failed(error: unknown): void;
}

export type Chunk = Uint8Array<ArrayBuffer>;

/**
 * Returns a body that is produced as the reader consumes it, so a slow reader costs a few chunks.
 *
 * The first chunk is produced at once, so that an error in it throws here, while 500 is still
 * possible. After the status has been sent, an error can only abort the connection.
 */
export function streamChunks(
  chunks: Iterator<Chunk>,
  watcher: StreamWatcher,
): ReadableStream<Chunk> {
  let first: IteratorResult<Chunk> | undefined = chunks.next();
  const next = (): IteratorResult<Chunk> => {
    const result = first ?? chunks.next();
    first = undefined;
    return result;
  };
  // Lets the producer free what it has.
  return streamOf(next, { ...watcher, ended: () => (chunks.return?.(), watcher.ended()) });
}

/**
 * Returns a body of chunks that arrive over time, the first one included. When `brokenOff` is
 * aborted, the stream ends with an error, so that its reader sees that it is incomplete.
 */
export function streamArrivingChunks(
  chunks: AsyncIterator<Chunk>,
  watcher: StreamWatcher,
  brokenOff: AbortSignal,
): ReadableStream<Chunk> {
  const ended = (): void => {
    watcher.ended();
    // Lets the producer free what it has. A fault in that is not one of the answer.
    void Promise.allSettled([chunks.return?.()]);
  };
  return streamOf(() => chunks.next(), { ...watcher, ended }, brokenOff);
}

type Next = () => IteratorResult<Chunk> | Promise<IteratorResult<Chunk>>;

function streamOf(
  next: Next,
  watcher: StreamWatcher,
  brokenOff?: AbortSignal,
): ReadableStream<Chunk> {
  let isFirst = true;
  let isOver = false;
  const pull = async (controller: ReadableStreamDefaultController<Chunk>): Promise<void> => {
    // Spans arrive on the same thread, so they get a turn between chunks, not after the last one.
    if (!isFirst) await chunkTurns.next();
    isFirst = false;
    if (isOver) return;
    try {
      const result = await next();
      // The reader may have gone in the meantime.
      if (isOver) return;
      isOver = give(controller, result);
      if (isOver) watcher.ended();
    } catch (error) {
      if (isOver) return;
      isOver = true;
      watcher.failed(error);
      // Without the error: Bun would print it to standard error, past the logger
      // (`test/quirks/bun-servers.test.ts`).
      controller.error();
    }
  };
  const cancel = (): void => {
    isOver = true;
    watcher.ended();
  };
  const start = (controller: ReadableStreamDefaultController<Chunk>): void => {
    const breakOff = (): void => {
      if (isOver) return;
      cancel();
      controller.error();
    };
    brokenOff?.addEventListener("abort", breakOff);
  };
  return new ReadableStream({ start, pull, cancel }, { highWaterMark: 0 });
}

/** A chunk, and the buffer in which it was written, if that was not used for many more. */
const GARBAGE_A_BYTE = 2;

/** Passes the next chunk to the reader. Returns true at the end of the stream. */
function give(
  controller: ReadableStreamDefaultController<Chunk>,
  result: IteratorResult<Chunk>,
): boolean {
  if (result.done === true) {
    controller.close();
    return true;
  }
  PROCESS_PACE.noteGarbage(GARBAGE_A_BYTE * result.value.length);
  controller.enqueue(result.value);
  return false;
}

/** Shared by all answers. */
const chunkTurns = new ChunkTurns();
