import { type Findings, type LogFiles, readLog } from "./recover-log.ts";
import { FORMAT_VERSION } from "./segment-file.ts";
import { type Segment, storedIn } from "./segment.ts";

/** A file of an inspected log. */
export interface InspectedSegment {
  readonly name: string;
  readonly formatVersion: number;
  readonly fileBytes: number;
  /** Its sequences: from `firstSequence` up to, but not including, `nextSequence`. */
  readonly firstSequence: number;
  readonly nextSequence: number;
  /** The spans that a start would restore from it. */
  readonly spans: number;
  readonly spanBytes: number;
}

/** What a start would find, with each file of the log. */
export interface InspectedLog extends Omit<Findings, "segments"> {
  readonly segments: readonly InspectedSegment[];
}

/** Reads and verifies the whole log exactly as a start does, and changes nothing. */
export async function inspectLog(files: Omit<LogFiles, "settings">): Promise<InspectedLog> {
  // Marks speed up later reads, of which an inspection has none.
  const settings = { segmentBytes: Number.POSITIVE_INFINITY };
  const { rebuilt, findings } = await readLog({ ...files, settings });
  return { ...findings, segments: rebuilt.map(({ segment }) => inspected(segment)) };
}

function inspected(segment: Segment): InspectedSegment {
  const { name, fileBytes, firstSequence, endSequence: nextSequence } = segment;
  const { spans, bytes: spanBytes } = storedIn(segment);
  const formatVersion = FORMAT_VERSION;
  return { name, formatVersion, fileBytes, firstSequence, nextSequence, spans, spanBytes };
}
