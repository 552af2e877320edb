import { setImmediate } from "node:timers/promises";
import { CollectionPace } from "../memory/collection-pace.ts";

/** Told once how a stream ended, whichever way it did. */
export interface StreamWatcher {
  /** Sent whole, or the reader has gone. */
  ended(): void;
  /** Our own fault, after the answer had begun. */
  failed(error: unknown): void;
}

export type Chunk = Uint8Array<ArrayBuffer>;

/**
 * A body that is made as the reader takes it: a slow reader costs no more than a few chunks.
 *
 * The first chunk is made at once: what fails there throws here, while there can still be a 500.
 * Later the status is long sent, and all that is left is to break off the connection.
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
  return streamOf(next, watcher);
}

/**
 * The same of chunks that come when they come, the first one too. When `brokenOff` is aborted the
 * stream ends, though its reader has not taken all of it, and sees that it is not whole.
 */
export function streamArrivingChunks(
  chunks: AsyncIterator<Chunk>,
  watcher: StreamWatcher,
  brokenOff: AbortSignal,
): ReadableStream<Chunk> {
  return streamOf(() => chunks.next(), watcher, brokenOff);
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
    // Spans keep arriving on this thread: they get their turn between chunks, not after the last.
    if (!isFirst) await setImmediate();
    isFirst = false;
    if (isOver) return;
    try {
      const result = await next();
      // The reader may have gone meanwhile.
      if (isOver) return;
      isOver = give(controller, result);
      if (isOver) watcher.ended();
    } catch (error) {
      if (isOver) return;
      isOver = true;
      watcher.failed(error);
      // Without the error: Bun would print it to standard error, past the logger.
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

/** True when that was the end. */
function give(
  controller: ReadableStreamDefaultController<Chunk>,
  result: IteratorResult<Chunk>,
): boolean {
  if (result.done === true) {
    controller.close();
    return true;
  }
  answerPace.noteGarbage(result.value.length);
  controller.enqueue(result.value);
  return false;
}

/** Of all answers together: what was sent or looked at is garbage, and can exceed the ring. */
export const answerPace = new CollectionPace();
