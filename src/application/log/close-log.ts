import { closeFile, type NewRecord } from "./active-segment.ts";
import { syncSegment } from "./disk-sync.ts";
import { breakOff, startWriting } from "./group-commit.ts";
import type { ActiveSegment, LogState } from "./log-state.ts";
import { CLOSED, recordBytes } from "./record.ts";
import { removeSpent } from "./retention.ts";
import { writeRecords } from "./write-records.ts";

/** Puts all that is written on stable storage, beside the writes that go on. */
export async function syncLog(state: LogState): Promise<void> {
  const files = [...state.unsynced, ...(state.active === undefined ? [] : [state.active])];
  await Promise.all(files.map(async (each) => await syncOne(state, each)));
  removeSpent(state);
  startWriting(state);
}

async function syncOne(state: LogState, active: ActiveSegment): Promise<void> {
  try {
    await syncSegment(state, active);
  } catch (error) {
    if (active === state.active) breakOff(state, error);
    else state.parts.watcher.syncFailed({ segment: active.segment.name, reason: String(error) });
  }
  if (isUnsynced(active)) return;
  const at = state.unsynced.indexOf(active);
  for (const each of at < 0 ? [] : state.unsynced.splice(at, 1)) closeFile(each);
}

/** More was written while the sync was running. */
function isUnsynced({ segment, writtenBytes, failedSync }: ActiveSegment): boolean {
  return failedSync === undefined && segment.syncedBytes < writtenBytes;
}

/**
 * Ends the log. Rejects when what was written since the last sync cannot be put on stable storage.
 * The last record proves that whatever is broken before it was whole once.
 */
export async function closeLog(state: LogState): Promise<void> {
  state.isClosed = true;
  await state.writing;
  const { active, unsynced } = state;
  const open = [...unsynced.splice(0), ...(active === undefined ? [] : [active])];
  try {
    await Promise.all(open.map(async (each) => await syncSegment(state, each)));
    if (active !== undefined) await writeClosing(state, active);
    removeSpent(state);
  } finally {
    state.active = undefined;
    for (const each of open) closeFile(each);
    await state.removing;
  }
}

async function writeClosing(state: LogState, active: ActiveSegment): Promise<void> {
  if (state.usedBytes + CLOSING_BYTES > state.parts.settings.maxDiskBytes) return;
  await writeRecords(state, active, [closingRecord(state, active)]);
  await syncSegment(state, active);
}

const NOTHING = new Uint8Array(0);
const CLOSING_BYTES = recordBytes(0);

function closingRecord({ nextSequence }: LogState, { segment }: ActiveSegment): NewRecord {
  const fields = {
    type: CLOSED,
    cause: 0,
    firstSequence: nextSequence,
    spanCount: 0,
    spanBytes: 0,
    value: segment.number,
  };
  return { fields, payload: NOTHING };
}
