import { closeFile, openingBytes, sealActive } from "./active-segment.ts";
import { departEvicted, isRemovable, syncDirectory } from "./write-records.ts";
import type { LogState } from "./log-state.ts";
import { freeIn, type Segment } from "./segment.ts";

/** Thrown if no room can be made for a write. */
export class NoRoomError extends Error {
  override name = "NoRoomError";
}

const MIN_SEGMENT_BYTES = 64 * 1024;
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Returns the size of segments. Room is made by removing whole segments, so a small disk has small
 * ones; on a large disk, they are limited to a size that can be read and removed quickly.
 */
export function segmentBytesFor(maxDiskBytes: number): number {
  const share = Math.floor(maxDiskBytes / 16);
  return Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, share));
}

/** Returns the bytes that requests leave free for departures and new segments. */
export function reservedBytes(maxDiskBytes: number): number {
  return Math.min(64 * 1024, Math.floor(maxDiskBytes / 8));
}

/** The size of a write, and the disk space that may be used once it is done. */
export interface Room {
  readonly requestBytes: number;
  readonly isForNewSegment: boolean;
  readonly limitBytes: number;
}

/**
 * Makes sure that a write stays within `MAX_DISK_BYTES`. Unneeded files are removed first; then, if
 * the policy is to drop the oldest, the oldest segment with all its spans.
 */
export async function makeRoom(
  state: LogState,
  room: Room,
  prepareEviction: () => Promise<void>,
): Promise<void> {
  // oxlint-disable no-await-in-loop -- one file after the other, until there is room
  while (excessBytes(state, room) > 0) {
    const { usedBytes } = state;
    const doomed = [...state.doomed];
    await removeDoomed(state);
    assertRemoved(state, doomed);
    if (doomed.length > 0 || state.usedBytes < usedBytes) continue;
    if (state.parts.settings.overflowPolicy === "refuse") throw new NoRoomError();
    const oldest = oldestEvictable(state);
    if (oldest === undefined) throw new NoRoomError();
    evict(state, oldest);
    await prepareEviction().finally(() => state.doomed.push(oldest));
  }
  // oxlint-enable no-await-in-loop
}

function excessBytes(state: LogState, { requestBytes, isForNewSegment, limitBytes }: Room): number {
  const isNew = isForNewSegment || state.active === undefined;
  const opening = isNew ? openingBytes(state) : 0;
  return state.usedBytes + requestBytes + opening - limitBytes;
}

/** Throws if files cannot be removed, because evicting more would not make room. */
function assertRemoved(state: LogState, doomed: readonly Segment[]): void {
  const stuck = doomed.find((segment) => state.doomed.includes(segment));
  if (stuck !== undefined) throw new Error(`${stuck.name} cannot be removed`);
  if (state.removedBytes > 0) throw new Error("the directory cannot be synced");
}

/** Returns the oldest segment; the active one only if it is the only one with spans. */
function oldestEvictable(state: LogState): Segment | undefined {
  const [oldest] = state.segments;
  if (oldest === undefined || oldest !== state.active?.segment) return oldest;
  sealActive(state);
  return oldest;
}

function evict(state: LogState, segment: Segment): void {
  departEvicted(state, segment, freeIn(segment).bytes);
  detach(state, segment);
}

/** Removes a segment from the log; its file is removed later. */
function detach(state: LogState, segment: Segment): void {
  state.segments.splice(state.segments.indexOf(segment), 1);
  const waiting = state.unsynced.findIndex((each) => each.segment === segment);
  for (const active of waiting < 0 ? [] : state.unsynced.splice(waiting, 1)) closeFile(active);
}

/** Removes spent segments in the background. */
export function removeSpent(state: LogState): void {
  const spent = state.segments.filter((segment) => isRemovable(state, segment));
  for (const segment of spent) detach(state, segment);
  state.doomed.push(...spent);
  if (spent.length > 0) void removeDoomed(state);
}

/** Tries to remove each file. A file that cannot be removed still takes up space. */
export async function removeDoomed(state: LogState): Promise<void> {
  const removing = state.removing.then(async () => await removeFiles(state));
  state.removing = removing;
  await removing;
}

/**
 * Removes files. Their room counts as free once the removal is on stable storage: a power cut could
 * otherwise bring a file back next to the data that replaced it.
 */
async function removeFiles(state: LogState): Promise<void> {
  for (const segment of state.doomed) {
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    if (!(await isRemoved(state, segment))) continue;
    state.doomed = state.doomed.filter((each) => each !== segment);
    state.removedBytes += segment.fileBytes;
    state.isDirectoryDirty = true;
  }
  const { removedBytes } = state;
  try {
    await syncDirectory(state);
  } catch {
    return;
  }
  state.removedBytes -= removedBytes;
  state.usedBytes -= removedBytes;
}

async function isRemoved({ parts }: LogState, { name }: Segment): Promise<boolean> {
  try {
    await parts.disk.remove(name);
    return true;
  } catch {
    return false;
  }
}
