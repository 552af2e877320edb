import { assert } from "../../domain/assert.ts";
import { departureRecord, encodeRecords, type NewRecord, sealOf } from "./active-segment.ts";
import { takeDepartures } from "./departures.ts";
import { syncSegment } from "./disk-sync.ts";
import type { ActiveSegment, LogState } from "./log-state.ts";
import { recordBytes } from "./record.ts";

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
