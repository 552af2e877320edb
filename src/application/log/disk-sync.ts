import type { ActiveSegment, LogState } from "./log-state.ts";

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
