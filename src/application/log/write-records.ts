import { assert } from "../../domain/assert.ts";
import { departureRecord, encodeRecords, type NewRecord, sealOf } from "./active-segment.ts";
import type { ActiveSegment, LogState, PendingDeparture } from "./log-state.ts";
import { recordBytes, encodedRangesBytes } from "./segment-file.ts";
import { countDeparted, isSpent, markDeparted, type Segment } from "./segment.ts";
import { countSequences, gapsIn } from "./sequence-ranges.ts";

/** Before a segment is removed, the records of why must be safe, if any can be written. */
export async function syncDepartures(state: LogState): Promise<void> {
  const { active } = state;
  if (active === undefined) return;
  await writeRecords(state, active, []);
  await syncSegment(state, active);
}

/** Appends records to the active segment, before them the departures that wait and fit. */
export async function writeRecords(
  state: LogState,
  active: ActiveSegment,
  requests: readonly NewRecord[],
): Promise<void> {
  const { segment, file } = active;
  const { maxDiskBytes } = state.parts.settings;
  const fixedBytes = lengthOf(active.opening) + recordsLength(requests);
  const departures = takeDepartures(state, maxDiskBytes - state.usedBytes - fixedBytes);
  const records = [...departures.map(departureRecord), ...requests];
  const at = active.writtenBytes + lengthOf(active.opening);
  const { syncedBytes } = segment;
  const encoded = encodeRecords(records, { at, syncedBytes, seal: sealOf(state, segment) });
  const pieces = [...active.opening, ...encoded];
  const bytes = lengthOf(pieces);
  assert(state.usedBytes + bytes <= maxDiskBytes, "used bytes <= max disk bytes");
  // Before the write: what fails may be on the disk as well.
  state.usedBytes += bytes;
  segment.fileBytes += bytes;
  const { departureCount } = state;
  if (bytes > 0) await file.append(pieces);
  active.opening = [];
  active.writtenBytes += bytes;
  active.writtenDeparture = departureCount;
}

function recordsLength(records: readonly NewRecord[]): number {
  return records.reduce((sum, { payload }) => sum + recordBytes(payload.length), 0);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/**
 * Puts a segment on stable storage, with its name. A failed sync is never retried: the kernel may
 * have dropped the pages it could not write, and the next sync would succeed without them. So the
 * syncs of one segment form a chain, and after one failure every later one fails as well.
 */
export async function syncSegment(state: LogState, active: ActiveSegment): Promise<void> {
  const { writtenBytes, writtenDeparture, segment } = active;
  active.syncing = syncAfter(active.syncing, state, active);
  await active.syncing;
  segment.syncedBytes = Math.max(segment.syncedBytes, writtenBytes);
  const isNewest = segment.number > (state.anchor?.number ?? 0);
  // A sync that comes before the first write has put nothing on stable storage.
  if (writtenBytes > 0 && isNewest) state.anchor = segment;
  state.syncedDeparture = Math.max(state.syncedDeparture, writtenDeparture);
}

async function syncAfter(
  before: Promise<void>,
  state: LogState,
  active: ActiveSegment,
): Promise<void> {
  await before;
  try {
    await Promise.all([active.file.sync(), syncDirectory(state)]);
  } catch (error) {
    active.failedSync = error instanceof Error ? error : new Error(String(error));
    throw error;
  }
}

/** Resolves when the names that were added or removed so far are on stable storage. */
export function syncDirectory(state: LogState): Promise<void> {
  if (!state.isDirectoryDirty) return state.directorySyncing;
  state.isDirectoryDirty = false;
  state.directorySyncing = state.parts.disk.syncDirectory().catch((error: unknown) => {
    state.isDirectoryDirty = true;
    throw error;
  });
  return state.directorySyncing;
}

/**
 * Takes spans out of the log. In memory they are gone at once; the record of it is written with
 * the next group, and until a sync covers it a crash brings the spans back: they may be sent twice,
 * and are never lost.
 */
export function depart(state: LogState, departure: PendingDeparture): void {
  const { segment, cause, ranges, spanBytes } = departure;
  markDeparted(segment, ranges, spanBytes);
  countDeparted(state.ledgers, cause, { spans: countSequences(ranges), bytes: spanBytes });
  noteDeparture(state, departure);
}

/** Evicts a segment: what is leased stays in the ledgers until it is settled. */
export function departEvicted(state: LogState, segment: Segment, freeBytes: number): void {
  const { firstSequence: first, endSequence: end, departed, leased } = segment;
  const free = gapsIn({ first, end }, departed, leased);
  const spans = countSequences(free);
  countDeparted(state.ledgers, "evicted", { spans, bytes: freeBytes });
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
function takeDepartures(state: LogState, roomBytes: number): PendingDeparture[] {
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
