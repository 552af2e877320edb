import { assert } from "../../domain/assert.ts";
import type { SpanPlaces } from "../../domain/wire/request-spans.ts";
import type { Ledger } from "../../domain/ledger.ts";
import { sealActive, closeFile, type NewRecord } from "./active-segment.ts";
import { enqueue, writeOpening, breakOff, startWriting } from "./group-commit.ts";
import {
  leaseOldest,
  type LogLease,
  type LogSettlement,
  settleLease,
  takeAll,
} from "./lease-spans.ts";
import { type SpanAmount, extentOf, isSpent, markBefore, type SegmentMark } from "./segment.ts";
import type { AppendOutcome, LogParts, LogRequest, LogState, ActiveSegment } from "./log-state.ts";
import { type Recovery, recoverLog } from "./recover-log.ts";
import { readStored, type VisitStored } from "./read-stored.ts";
import { removeSpent } from "./retention.ts";
import { gapsIn } from "./sequence-ranges.ts";
import { syncSegment, writeRecords } from "./write-records.ts";
import { CLOSED, recordBytes } from "./segment-file.ts";

/** One consistent reading of the log. */
export interface LogStats {
  readonly spans: Ledger;
  readonly bytes: Ledger;
  /** `first` is the oldest stored span's, `next` the one the next logged span will get. */
  readonly sequence: { readonly first: number; readonly next: number };
  /** When the oldest stored span arrived, or one not long before it; undefined when none is. */
  readonly oldestUnixMs: number | undefined;
  readonly disk: { readonly usedBytes: number; readonly maxBytes: number };
  readonly segments: number;
  readonly queuedBytes: number;
  /** Whether a segment is open; where none is, the disk has failed, or has no room for one. */
  readonly isWritable: boolean;
  /** What the disk has failed with, until a write succeeds again. */
  readonly failure: string | undefined;
}

/** The log of spans on the disk. See `README.md` beside this file for how it works, and why. */
export class SpanLog {
  // Fixed at construction; what moves is in the state.
  private readonly state: LogState;
  readonly recovery: Recovery;

  private constructor(state: LogState, recovery: Recovery) {
    this.state = state;
    this.recovery = recovery;
  }

  /** Recovers what is there, and begins a new segment; where that fails, `stats` says why. */
  static async open(parts: LogParts): Promise<SpanLog> {
    const { state, recovery } = await recoverLog(parts);
    await writeOpening(state);
    removeSpent(state);
    return new SpanLog(state, recovery);
  }

  /** Resolves once the request is as safe as the level promises, or is known not to be. */
  append(request: LogRequest): Promise<AppendOutcome> {
    return enqueue(this.state, request);
  }

  /** The oldest spans that nobody has, at least one if there is one; they stay until settled. */
  lease(limit: SpanAmount): Promise<LogLease | undefined> {
    return leaseOldest(this.state, limit);
  }

  /** Ends the lease of some of its spans, or of all; returns how many were evicted meanwhile. */
  settle(lease: LogLease, settlement: LogSettlement, part: SpanPlaces = wholeOf(lease)): number {
    return settleLease(this.state, lease, part, settlement);
  }

  /** Removes the oldest spans that nobody has, and returns them. */
  async take(limit: SpanAmount): Promise<LogLease | undefined> {
    const lease = await this.lease(limit);
    if (lease !== undefined) this.settle(lease, "taken");
    return lease;
  }

  /** Removes every span that nobody has, as taken; returns how many there were. */
  clear(): number {
    return takeAll(this.state);
  }

  /**
   * Shows stored requests from a sequence on, in order, whole, each with the sequences of it that
   * have not departed, until `visit` returns false. Nothing is leased.
   */
  read(sequence: number, visit: VisitStored): Promise<void> {
    return readStored(this.state, sequence, visit);
  }

  /** Level `process`: puts what is written on stable storage. Never rejects. */
  sync(): Promise<void> {
    return syncLog(this.state);
  }

  /** The next spans have sequences from here on: those before were never in the log. */
  skipTo(sequence: number): void {
    skipTo(this.state, sequence);
  }

  /** Resolves when all that was appended is on stable storage; rejects where it cannot be. */
  close(): Promise<void> {
    return closeLog(this.state);
  }

  stats(): LogStats {
    return readStats(this.state);
  }
}

function wholeOf({ sequences }: LogLease): SpanPlaces {
  return { first: 0, end: sequences.length };
}

/** Within a segment sequences have no gaps: the next group begins another. */
function skipTo(state: LogState, sequence: number): void {
  assert(state.writing === undefined, "sequences are skipped while nothing is written");
  assert(sequence >= state.nextSequence, "sequences are never reused");
  if (sequence === state.nextSequence) return;
  sealActive(state);
  state.nextSequence = sequence;
}

function readStats(state: LogState): LogStats {
  const oldest = oldestStored(state);
  const { ledgers, segments, nextSequence, usedBytes, queuedBytes, failure } = state;
  return {
    spans: { ...ledgers.spans },
    bytes: { ...ledgers.bytes },
    sequence: { first: oldest?.sequence ?? nextSequence, next: nextSequence },
    oldestUnixMs: oldest?.unixMs,
    disk: { usedBytes, maxBytes: state.parts.settings.maxDiskBytes },
    segments: segments.length,
    queuedBytes,
    isWritable: state.active !== undefined,
    failure: failure?.reason,
  };
}

function oldestStored({
  segments,
}: LogState): Pick<SegmentMark, "sequence" | "unixMs"> | undefined {
  const segment = segments.find((each) => !isSpent(each));
  if (segment === undefined) return undefined;
  const sequence = gapsIn(extentOf(segment), segment.departed)[0]!.first;
  return { sequence, unixMs: markBefore(segment, sequence)!.unixMs };
}

/** Puts all that is written on stable storage, beside the writes that go on. */
async function syncLog(state: LogState): Promise<void> {
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
async function closeLog(state: LogState): Promise<void> {
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
