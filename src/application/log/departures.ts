import { bookDeparted, isSpent, markDeparted, type Segment } from "./segment.ts";
import type { LogState, PendingDeparture } from "./log-state.ts";
import { encodedRangesBytes } from "./segment-file.ts";
import { countSequences, gapsIn } from "./sequence-ranges.ts";

/**
 * Takes spans out of the log. In memory they are gone at once; the record of it is written with
 * the next group, and until a sync covers it a crash brings the spans back: they may be sent twice,
 * and are never lost.
 */
export function depart(state: LogState, departure: PendingDeparture): void {
  const { segment, cause, ranges, spanBytes } = departure;
  markDeparted(segment, ranges, spanBytes);
  bookDeparted(state.books, cause, { spans: countSequences(ranges), bytes: spanBytes });
  noteDeparture(state, departure);
}

/** Evicts a segment: what is leased stays in the books until it is settled. */
export function departEvicted(state: LogState, segment: Segment, freeBytes: number): void {
  const { firstSequence: first, endSequence: end, departed, leased } = segment;
  const free = gapsIn({ first, end }, departed, leased);
  const spans = countSequences(free);
  bookDeparted(state.books, "evicted", { spans, bytes: freeBytes });
  state.orphans.spans += countSequences(leased);
  state.orphans.bytes += segment.leasedBytes;
  state.parts.watcher.evicted({ first, end, spans });
  const ranges = gapsIn({ first, end }, departed);
  const spanBytes = freeBytes + segment.leasedBytes;
  noteDeparture(state, { segment, cause: "evicted", ranges, spanBytes });
}

function noteDeparture(state: LogState, departure: PendingDeparture): void {
  if (departure.ranges.length === 0) return;
  state.departureCount += 1;
  const { segment } = departure;
  segment.lastDeparture = state.departureCount;
  // While nothing can be written, nothing piles up: the next segment carries what has left.
  const isCarried = state.active === undefined && state.isBlocked;
  if (!isCarried) state.departures.push(departure);
}

/** Takes the departures to be written next; those that do not fit are carried by a new segment. */
export function takeDepartures(state: LogState, roomBytes: number): PendingDeparture[] {
  let room = roomBytes;
  const taken = state.departures.filter(({ ranges }) => {
    room -= encodedRangesBytes(ranges.length);
    return room >= 0;
  });
  state.departures = [];
  return taken;
}

/**
 * Whether a segment can be removed: nothing in it is needed, and the records that say so are on
 * stable storage. While no segment can be written, it is removed without, as room may be what is
 * missing; but not the one that says what had left all the others.
 */
export function isRemovable(state: LogState, segment: Segment): boolean {
  if (segment === state.active?.segment || segment === state.anchor) return false;
  if (!isSpent(segment)) return false;
  return state.isBlocked || segment.lastDeparture <= state.syncedDeparture;
}

/** Whether a sync is all that a spent segment waits for. */
export function needsDepartureSync(state: LogState): boolean {
  const { active, segments } = state;
  if (active === undefined) return false;
  return segments.some(
    (segment) => segment !== active.segment && isSpent(segment) && !isRemovable(state, segment),
  );
}
