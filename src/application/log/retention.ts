import { closeFile, openingBytes, sealActive } from "./active-segment.ts";
import { departEvicted, isRemovable, syncDirectory } from "./write-records.ts";
import type { LogState } from "./log-state.ts";
import { freeIn, type Segment } from "./segment.ts";

/** Nothing can make room for what is to be written. */
export class NoRoomError extends Error {
  override name = "NoRoomError";
}

const MIN_SEGMENT_BYTES = 64 * 1024;
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * How large segments are: room is made by whole segments, so a small disk has small ones; and a
 * large disk has no larger ones than can be read and removed in a moment.
 */
export function segmentBytesFor(maxDiskBytes: number): number {
  const share = Math.floor(maxDiskBytes / 16);
  return Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, share));
}

/** Bytes that requests leave free, so that departures and new segments can still be written. */
export function reservedBytes(maxDiskBytes: number): number {
  return Math.min(64 * 1024, Math.floor(maxDiskBytes / 8));
}

/** What is to be written, and how much of the disk may be used then. */
export interface Room {
  readonly requestBytes: number;
  readonly isForNewSegment: boolean;
  readonly limitBytes: number;
}

/**
 * Makes sure that a write stays within `MAX_DISK_BYTES`. Files that are not needed go first, then,
 * if the policy is to drop the oldest, the oldest segment with everything in it.
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

/** Evicting more would make no more room while files cannot be removed. */
function assertRemoved(state: LogState, doomed: readonly Segment[]): void {
  const stuck = doomed.find((segment) => state.doomed.includes(segment));
  if (stuck !== undefined) throw new Error(`${stuck.name} cannot be removed`);
  if (state.removedBytes > 0) throw new Error("the directory cannot be synced");
}

/** The active segment, once it has anything in it, when it is the only one. */
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

/** Takes a segment out of the log; its file is still to be removed. */
function detach(state: LogState, segment: Segment): void {
  state.segments.splice(state.segments.indexOf(segment), 1);
  const waiting = state.unsynced.findIndex((each) => each.segment === segment);
  for (const active of waiting < 0 ? [] : state.unsynced.splice(waiting, 1)) closeFile(active);
}

/** Removes segments of which nothing is needed, beside whatever else is going on. */
export function removeSpent(state: LogState): void {
  const spent = state.segments.filter((segment) => isRemovable(state, segment));
  for (const segment of spent) detach(state, segment);
  state.doomed.push(...spent);
  if (spent.length > 0) void removeDoomed(state);
}

/** Resolves when each file was tried. Where one cannot be removed, it stays and takes room. */
export async function removeDoomed(state: LogState): Promise<void> {
  const removing = state.removing.then(async () => await removeFiles(state));
  state.removing = removing;
  await removing;
}

/**
 * Room is counted as free once the removal is on stable storage: else a power cut could bring the
 * file back beside what was written in its place.
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
