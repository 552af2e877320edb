import { loseUnreadable } from "./damage.ts";
import type { LogState } from "./log-state.ts";
import { BrokenRecordError, readRequests, type StoredRequest } from "./read-requests.ts";
import { isSpent, type Segment } from "./segment.ts";
import { gapsIn, type SequenceRange } from "./sequence-ranges.ts";

/** Is shown a request and the sequences of it that are stored; returns whether to go on. */
export type VisitStored = (request: StoredRequest, stored: readonly SequenceRange[]) => boolean;

interface Reading {
  /** Where to go on. */
  sequence: number;
  isOver: boolean;
}

/** Shows what is stored from a sequence on: to fill a ring after a start, say. */
export async function readStored(state: LogState, from: number, visit: VisitStored): Promise<void> {
  const reading = { sequence: from, isOver: false };
  for (let segment = nextSegment(state, reading); segment !== undefined;) {
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    await readSegment(state, { segment, reading }, visit);
    segment = reading.isOver ? undefined : nextSegment(state, reading);
  }
}

function nextSegment({ segments }: LogState, { sequence }: Reading): Segment | undefined {
  return segments.find((segment) => segment.endSequence > sequence && !isSpent(segment));
}

/** A segment that goes away meanwhile has nothing more to show; a damaged one is read again. */
async function readSegment(
  state: LogState,
  { segment, reading }: { segment: Segment; reading: Reading },
  visit: VisitStored,
): Promise<void> {
  const { endSequence } = segment;
  try {
    const place = { segment, sequence: reading.sequence, wantedBytes: Number.POSITIVE_INFINITY };
    await readRequests(state, place, (request) => {
      const extent = {
        first: request.firstSequence,
        end: request.firstSequence + request.spanCount,
      };
      const stored = gapsIn(extent, segment.departed);
      reading.sequence = extent.end;
      reading.isOver = stored.length > 0 && !visit(request, stored);
      return !reading.isOver;
    });
  } catch (error) {
    const isGone = !state.segments.includes(segment);
    if (!isGone && !(error instanceof BrokenRecordError)) throw error;
    if (!isGone) return void (await loseUnreadable(state, segment));
  }
  reading.sequence = Math.max(reading.sequence, endSequence);
}
