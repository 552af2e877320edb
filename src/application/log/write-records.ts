import { assert } from "../../domain/assert.ts";
import { departureRecord, encodeRecords, type NewRecord, sealOf } from "./active-segment.ts";
import type { ActiveSegment, LogState, PendingDeparture } from "./log-state.ts";
import { recordBytes, encodedRangesBytes } from "./segment-file.ts";
import { countDeparted, isSpent, markDeparted, type Segment } from "./segment.ts";
import { addRange, countSequences, gapsIn } from "./sequence-ranges.ts";

/** Syncs the records of departures, as required before a segment is removed. */
export async function syncDepartures(state: LogState): Promise<void> {
  const { active } = state;
  if (active === undefined) return;
  await writeRecords(state, active, []);
  await syncSegment(state, active);
}

/** Appends records to the active segment, after the pending departures that fit. */
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
  // Counted before the write, because a failed write may be on the disk too.
  state.usedBytes += bytes;
  segment.fileBytes += bytes;
  const { departureCount } = state;
  if (bytes > 0) await file.append(pieces);
  active.opening = [];
  active.writtenBytes += bytes;
  active.writtenDeparture = departureCount;
}

export function recordsLength(records: readonly NewRecord[]): number {
  return records.reduce((sum, { payload }) => sum + recordBytes(payload.length), 0);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/**
 * Syncs a segment and its name to stable storage. A failed sync is never retried: the kernel may
 * have dropped the pages it could not write, and the next sync would succeed without them. The
 * syncs of a segment form a chain, and after a failure every later one fails too.
 */
export async function syncSegment(state: LogState, active: ActiveSegment): Promise<void> {
  const { writtenBytes, writtenDeparture, segment } = active;
  active.syncing = syncAfter(active.syncing, state, active);
  await active.syncing;
  segment.syncedBytes = Math.max(segment.syncedBytes, writtenBytes);
  const isNewest = segment.number > (state.anchor?.number ?? 0);
  // A sync before the first write has nothing to sync.
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

/** Resolves once the names added or removed so far are on stable storage. */
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
 * Removes spans from the log. They are gone from memory at once; the record is written with the
 * next group. Until a sync covers it, a crash brings the spans back: they may be sent twice, but
 * are never lost.
 */
export function depart(state: LogState, departure: PendingDeparture): void {
  const { segment, cause, ranges, spanBytes } = departure;
  markDeparted(segment, ranges, spanBytes);
  countDeparted(state.ledgers, cause, { spans: countSequences(ranges), bytes: spanBytes });
  noteDeparture(state, departure);
}

/** Evicts a segment. Its leased spans count as buffered until they are settled. */
export function departEvicted(state: LogState, segment: Segment, freeBytes: number): void {
  const { firstSequence: first, endSequence: end, departed, leased } = segment;
  const free = gapsIn({ first, end }, departed, leased);
  const spans = countSequences(free);
  countDeparted(state.ledgers, "evicted", { spans, bytes: freeBytes });
  for (const range of leased) addRange(state.orphans.ranges, range);
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
  // While nothing can be written, no departures are queued: the next segment carries them.
  const isCarried = state.active === undefined && state.isBlocked;
  if (!isCarried) state.departures.push(departure);
}

/** Takes the departures that fit into the next write; a new segment carries the others. */
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
 * Reports whether a segment can be removed: it is spent, and the records that say so are on stable
 * storage. If no segment can be written, it is removed without them, because room may be missing;
 * except the segment that carries the departures from all others.
 */
export function isRemovable(state: LogState, segment: Segment): boolean {
  if (segment === state.active?.segment || segment === state.anchor) return false;
  if (!isSpent(segment)) return false;
  return state.isBlocked || segment.lastDeparture <= state.syncedDeparture;
}

/** Reports whether a spent segment only waits for a sync. */
export function needsDepartureSync(state: LogState): boolean {
  const { active, segments } = state;
  if (active === undefined) return false;
  return segments.some(
    (segment) => segment !== active.segment && isSpent(segment) && !isRemovable(state, segment),
  );
}
