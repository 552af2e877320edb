import type { Disk } from "../../ports/disk.ts";
import type { StoppedBuffer } from "../../ports/trace-buffer.ts";
import type { LogParts } from "../log/log-state.ts";
import { recoverLog } from "../log/recover-log.ts";
import { storedRanges } from "../log/segment.ts";
import {
  addRange,
  countSequences,
  gapsIn,
  type SequenceRange,
  type SequenceRanges,
} from "../log/sequence-ranges.ts";
import type { SpanLog } from "../log/span-log.ts";

/** Returns the sequences of all spans that are in memory, in the log, or in both. */
export function bufferedSequences(log: SpanLog, buffer: StoppedBuffer): SequenceRanges {
  const all = log.ranges();
  for (const { first, next: end } of buffer.ranges()) {
    for (const range of gapsIn({ first, end }, all)) addRange(all, range);
  }
  return all;
}

/**
 * Reports whether a closed log still has its files: something else may have removed or cut them,
 * or the whole directory, which a process with open files does not notice. Rejects if the directory
 * cannot be listed.
 */
export async function hasItsFiles(log: SpanLog, disk: Pick<Disk, "list">): Promise<boolean> {
  const sizes = new Map((await disk.list()).map(({ name, bytes }) => [name, bytes]));
  return log.files().every(({ name, bytes }) => (sizes.get(name) ?? -1) >= bytes);
}

/** What the next start will find of the spans of a stop. */
export interface MissingSpans {
  /** Number of the spans that it will not find. */
  readonly spans: number;
  /** Whether a power cut could lose some of the others, because files cannot be synced. */
  readonly isUnsynced: boolean;
}

/**
 * Looks for spans in the files of a closed log, exactly as the next start does. The state of the
 * log does not tell: a failed write counts as none, but whole requests of it may be in the file,
 * and the next start finds them unless a newer file says where the accepted spans of this one end.
 * Nor does it reveal that the directory has been removed.
 */
export async function findMissing(
  parts: LogParts,
  sequences: readonly SequenceRange[],
): Promise<MissingSpans> {
  const { state, recovery } = await recoverLog({ ...parts, memory: undefined });
  const found = state.segments.flatMap(storedRanges);
  const missing = sequences.flatMap((range) => gapsIn(range, found));
  return { spans: countSequences(missing), isUnsynced: recovery.unsynced.length > 0 };
}
