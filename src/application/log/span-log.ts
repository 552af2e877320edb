import { assert } from "../../domain/assert.ts";
import type { SpanRange } from "../../domain/wire/request-spans.ts";
import type { DiskFile } from "../../ports/disk.ts";
import type { Ledger } from "../../domain/ledger.ts";
import { sealActive, closeFile, type NewRecord } from "./active-segment.ts";
import { breakOff, continuesInMemory, endPause, isRefusing } from "./disk-failure.ts";
import { enqueue, writeOpening, startWriting } from "./group-commit.ts";
import { leaseOldest, type LogLease } from "./lease-spans.ts";
import { type SpanAmount, isSpent, markBefore, storedRanges, type SegmentMark } from "./segment.ts";
import {
  type ActiveSegment,
  type AppendOutcome,
  type LogParts,
  type LogRequest,
  type LogState,
  storedExtent,
} from "./log-state.ts";
import { type Recovery, recoverLog } from "./recover-log.ts";
import { readStored } from "./read-stored.ts";
import type { VisitStored } from "./stored-request.ts";
import { removeSpent } from "./retention.ts";
import type { SequenceRange } from "./sequence-ranges.ts";
import {
  discardSpans,
  type HeldSpans,
  holdSpans,
  type LogSettlement,
  settleHeld,
  settleLease,
  takeAll,
  wholeOf,
} from "./settle-spans.ts";
import { syncSegment, writeRecords } from "./write-records.ts";
import { CLOSED, recordBytes } from "./segment-file.ts";

/** A consistent snapshot of the log. */
export interface LogStats {
  readonly spans: Ledger;
  readonly bytes: Ledger;
  /**
   * `first` is the sequence of the oldest stored span, `next` the sequence of the next span to be
   * logged.
   */
  readonly sequence: { readonly first: number; readonly next: number };
  /** Arrival of the oldest stored span, or of one shortly before it; undefined without spans. */
  readonly oldestUnixMs: number | undefined;
  readonly disk: { readonly usedBytes: number; readonly maxBytes: number };
  readonly segments: number;
  readonly queuedBytes: number;
  /** Whether a segment is open; if not, the disk has failed or has no room. */
  readonly isWritable: boolean;
  /** The error of the disk, until a write succeeds again. */
  readonly failure: string | undefined;
  /** Whether requests are refused until the next attempt to write; one request makes it. */
  readonly isRefusing: boolean;
  /** Whether the disk has failed, and requests are acknowledged once they are in memory. */
  readonly isMemoryOnly: boolean;
}

/** A durable log of spans. `README.md` in this folder explains how it works and why. */
export class SpanLog {
  // Fixed at construction; the state holds everything that changes.
  private readonly state: LogState;
  readonly recovery: Recovery;

  private constructor(state: LogState, recovery: Recovery) {
    this.state = state;
    this.recovery = recovery;
  }

  /** Recovers the log and begins a new segment; if that fails, `stats` says why. */
  static async open(parts: LogParts): Promise<SpanLog> {
    const { state, recovery } = await recoverLog(parts);
    await writeOpening(state);
    removeSpent(state);
    return new SpanLog(state, recovery);
  }

  /** Resolves once the request is as safe as the level promises, or has failed. */
  append(request: LogRequest): Promise<AppendOutcome> {
    return enqueue(this.state, request);
  }

  /**
   * Leases the oldest free spans, at least one if any; they stay stored until settled. `found`
   * is called with the result at once, before the promise resolves; not for a limit of no span.
   */
  lease(
    limit: SpanAmount,
    found?: (lease: LogLease | undefined) => void,
  ): Promise<LogLease | undefined> {
    return leaseOldest(this.state, limit, found);
  }

  /** Leases free spans that are in memory; those that are not in the log are skipped. */
  hold(held: HeldSpans): void {
    holdSpans(this.state, held);
  }

  /** Ends the lease of held spans; see `settle`. */
  settleHeld(held: HeldSpans, settlement: LogSettlement, part: SpanRange = wholeOf(held)): number {
    return settleHeld(this.state, held, part, settlement);
  }

  /** Ends the lease for some or all of its spans; returns how many were evicted meanwhile. */
  settle(lease: LogLease, settlement: LogSettlement, part: SpanRange = wholeOf(lease)): number {
    return settleLease(this.state, lease, part, settlement);
  }

  /** Removes and returns the oldest free spans. */
  async take(limit: SpanAmount): Promise<LogLease | undefined> {
    const lease = await this.lease(limit);
    if (lease !== undefined) this.settle(lease, "taken");
    return lease;
  }

  /** Removes every free span as taken; returns their number. */
  clear(): number {
    return takeAll(this.state);
  }

  /** Removes free spans that were just logged, if they were, and that nothing else will remove. */
  discard(range: SequenceRange, spanBytes: number): void {
    discardSpans(this.state, range, spanBytes);
  }

  /** Returns the range of the segment that has a span; undefined if it is not stored. */
  extentOf(sequence: number): SequenceRange | undefined {
    return storedExtent(this.state, sequence);
  }

  /** Returns the sequences of all stored spans, leased or free, in ascending ranges. */
  ranges(): SequenceRange[] {
    return this.state.segments.flatMap(storedRanges);
  }

  /** Returns the files that the log should have, each with the size that it has at least. */
  files(): DiskFile[] {
    return this.state.segments.map(({ name, readableBytes: bytes }) => ({ name, bytes }));
  }

  /**
   * Visits stored requests from a sequence on, in order, each with its sequences that have not
   * departed, until `visit` returns false. It leases nothing.
   */
  read(sequence: number, visit: VisitStored): Promise<void> {
    return readStored(this.state, sequence, visit);
  }

  /** At level `process`, syncs everything written to stable storage. Never rejects. */
  sync(): Promise<void> {
    return syncLog(this.state);
  }

  /** Continues with this sequence; the sequences before it were never in the log. */
  skipTo(sequence: number): void {
    skipTo(this.state, sequence);
  }

  /** Continues with this sequence, also after the next start. */
  continueAt(sequence: number): Promise<void> {
    return continueAt(this.state, sequence);
  }

  /** Ends the pause after a failure, so that the next request tries the disk at once. */
  endPause(): void {
    endPause(this.state);
  }

  /** Resolves once all appended spans are on stable storage; rejects if that fails. */
  close(): Promise<void> {
    return closeLog(this.state);
  }

  stats(): LogStats {
    return readStats(this.state);
  }

  /** Reports whether the disk has failed, and requests are acknowledged once they are in memory. */
  isMemoryOnly(): boolean {
    return continuesInMemory(this.state);
  }

  /** Returns the used share of the disk space, from 0 to 1. */
  usedShare(): number {
    return this.state.usedBytes / this.state.parts.settings.maxDiskBytes;
  }
}

/** Ends the segment, because the sequences within one have no gaps. */
function skipTo(state: LogState, sequence: number): void {
  assert(state.writing === undefined, "sequences are skipped while nothing is written");
  assert(sequence >= state.nextSequence, "sequences are never reused");
  if (sequence === state.nextSequence) return;
  sealActive(state);
  state.nextSequence = sequence;
}

/** Begins a segment, whose header has the sequence. */
async function continueAt(state: LogState, sequence: number): Promise<void> {
  await state.writing;
  if (sequence <= state.nextSequence) return;
  skipTo(state, sequence);
  await writeOpening(state);
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
    isRefusing: isRefusing(state),
    isMemoryOnly: continuesInMemory(state),
  };
}

function oldestStored({
  segments,
}: LogState): Pick<SegmentMark, "sequence" | "unixMs"> | undefined {
  const segment = segments.find((each) => !isSpent(each));
  if (segment === undefined) return undefined;
  const sequence = storedRanges(segment)[0]!.first;
  return { sequence, unixMs: markBefore(segment, sequence)!.unixMs };
}

/** Syncs everything written to stable storage, concurrently with writes. */
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

/** Reports whether more was written during the sync. */
function isUnsynced({ segment, writtenBytes, failedSync }: ActiveSegment): boolean {
  return failedSync === undefined && segment.syncedBytes < writtenBytes;
}

/**
 * Ends the log. Rejects if the writes since the last sync cannot be synced. The last record proves
 * that broken bytes before it were intact once.
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
