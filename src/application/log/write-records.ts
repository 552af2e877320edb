import { assert } from "../../domain/assert.ts";
import { departureRecord, encodeRecords, type NewRecord, sealOf } from "./active-segment.ts";
import { takeDepartures } from "./departures.ts";
import type { ActiveSegment, LogState } from "./log-state.ts";
import { recordBytes } from "./segment-file.ts";

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
