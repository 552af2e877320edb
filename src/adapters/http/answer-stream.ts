import { setImmediate } from "node:timers/promises";

/** Told once how a stream ended, whichever way it did. */
export interface StreamWatcher {
  /** Sent whole, or the reader has gone. */
  ended(): void;
  /** Our own fault, after the answer had begun. */
  failed(error: unknown): void;
}

type Chunk = Uint8Array<ArrayBuffer>;

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
  let isOver = false;
  const pull = async (controller: ReadableStreamDefaultController<Chunk>): Promise<void> => {
    // Spans keep arriving on this thread: they get their turn between chunks, not after the last.
    if (first === undefined) await setImmediate();
    if (isOver) return;
    try {
      isOver = giveChunk(controller, first ?? chunks.next());
      first = undefined;
      if (isOver) watcher.ended();
    } catch (error) {
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
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
}

/** True when that was the end. */
function giveChunk(
  controller: ReadableStreamDefaultController<Chunk>,
  next: IteratorResult<Chunk>,
): boolean {
  if (next.done === true) controller.close();
  else controller.enqueue(next.value);
  return next.done === true;
}
