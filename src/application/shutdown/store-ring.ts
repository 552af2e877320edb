import type { BufferedRun, StoppedBuffer } from "../../ports/trace-buffer.ts";
import type { SpanLog } from "../log/span-log.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";

export interface StoreRingParts {
  /** The log, which has the spans of earlier runs that are still buffered. */
  readonly log: SpanLog;
  readonly buffer: StoppedBuffer;
  /** Limits the bytes that are in memory in addition to the buffer. */
  readonly batchBytes: number;
}

/**
 * Writes the buffered spans that are not in the log yet, oldest first, with their sequences. It is
 * among the last steps of a stop, when no spans are appended, taken or sent any more. Resolves to
 * the number of spans that are not in the log at the end according to its own counts, because the
 * disk has failed or is too small; `findMissing` says which of them the next start lacks. The
 * ledger still counts them as buffered, unless they were evicted to make room.
 */
export async function storeRing(parts: StoreRingParts): Promise<number> {
  const { log, buffer } = parts;
  const { buffered } = buffer.stats().spans;
  const isStored = await storeBatches(parts);
  // A full disk may have room for some requests of a batch that failed as a whole.
  if (!isStored) await storeBatches({ ...parts, batchBytes: 1 });
  if (log.stats().failure === undefined) await log.continueAt(buffer.range().next);
  return buffered - log.stats().spans.buffered;
}

/** Resolves to false as soon as a batch cannot be stored. */
async function storeBatches(parts: StoreRingParts): Promise<boolean> {
  const { log } = parts;
  // A disk that has failed before may accept writes by now.
  log.endPause();
  let next = log.stats().sequence.next;
  for (let batch = batchFrom(parts, next); batch.length > 0; batch = batchFrom(parts, next)) {
    next = batch.at(-1)!.sequence + batch.at(-1)!.spanCount;
    // oxlint-disable-next-line no-await-in-loop -- a batch at a time is in memory
    if (!(await storeBatch(log, batch))) return false;
  }
  return true;
}

function batchFrom({ buffer, batchBytes }: StoreRingParts, from: number): BufferedRun[] {
  const batch: BufferedRun[] = [];
  let bytes = 0;
  for (let run = buffer.copyRun(from); run !== undefined && bytes < batchBytes;) {
    batch.push(run);
    bytes += run.request.length;
    run = bytes < batchBytes ? buffer.copyRun(run.sequence + run.spanCount) : undefined;
  }
  return batch;
}

/** Writes requests with one write if possible. Resolves to whether all of them are in the log. */
async function storeBatch(log: SpanLog, batch: readonly BufferedRun[]): Promise<boolean> {
  const storing = batch.map(({ request: bytes, ...run }) => log.append({ bytes, ...run }));
  const outcomes = await Promise.all(storing);
  for (const { request } of batch) releaseOwnBuffer(request);
  return outcomes.every(({ outcome }) => outcome === "logged" || outcome === "too_large");
}
