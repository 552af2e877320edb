import type { Checksum, AppendFile, Disk } from "../../ports/disk.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Cause, emptyLedgers, type LogLedgers, type Segment } from "./segment.ts";
import type { SequenceRange } from "./sequence-ranges.ts";

/**
 * When a request is acknowledged: `disk`, once it is on stable storage; `process`, once it is
 * written, and `sync` is called from time to time; `stop`, once it is written, and only `close`
 * syncs.
 */
export type Durability = "disk" | "process" | "stop";

export interface LogSettings {
  readonly durability: Durability;
  /** All segments together never take more. */
  readonly maxDiskBytes: number;
  /** A segment is full at this size. */
  readonly segmentBytes: number;
  /** When the disk is full: evict the oldest segment, or refuse requests. */
  readonly overflowPolicy: "drop_oldest" | "refuse";
  /** Requests that wait for a slow disk; beyond that they are refused. */
  readonly maxQueuedBytes: number;
}

/** Is told what happens on the disk, for logs, metrics and health. */
export interface LogWatcher {
  /** The log cannot be written; the next attempt is made after `retryAfterMs`. */
  diskFailed(failure: { readonly reason: string; readonly retryAfterMs: number }): void;
  /** The log can be written again. */
  diskRecovered(): void;
  /** Level `process`: what a full segment holds may not survive a power cut. */
  syncFailed(failure: { readonly segment: string; readonly reason: string }): void;
  /** A segment makes room: `spans` of its sequences are evicted, and the leased ones may be. */
  evicted(segment: SequenceRange & { readonly spans: number }): void;
  /** Stored spans turned out to be unreadable; they count as evicted. */
  damaged(damage: { readonly segment: string; readonly lostSpans: number }): void;
}

export interface LogParts {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly clock: Clock;
  readonly unixMs: () => number;
  /** From 0 up to, and without, 1; for the salts of segments. */
  readonly random: () => number;
  /** 32 hexadecimal digits. */
  readonly runId: string;
  readonly settings: LogSettings;
  readonly watcher: LogWatcher;
}

/** A valid request with at least one span, and what the log notes about it. */
export interface LogRequest {
  /** An encoded `ExportTraceServiceRequest`; must stay as it is until the promise is settled. */
  readonly bytes: Uint8Array;
  readonly spanCount: number;
  /** Length of the spans as encoded `Span` messages. */
  readonly spanBytes: number;
  readonly unixMs: number;
  /**
   * Called once the request is as safe as the level promises, before the promise resolves, in the
   * order of the sequences: this is where spans enter the ring.
   */
  readonly stored?: ((firstSequence: number) => void) | undefined;
}

/** What became of a request. Only a logged one may be acknowledged. */
export type AppendOutcome =
  | { readonly outcome: "logged"; readonly firstSequence: number }
  /** No room, or too many requests wait for the disk; nothing was kept. */
  | { readonly outcome: "refused"; readonly message: string }
  /** There can be no room; nothing was kept. */
  | { readonly outcome: "too_large" }
  /** The disk failed; the sender must not take the request for safe. */
  | { readonly outcome: "failed"; readonly message: string; readonly retryAfterMs: number };

export interface PendingRequest {
  readonly request: LogRequest;
  readonly resolve: (logged: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Spans of one segment that have left together, to be written. */
export interface PendingDeparture {
  readonly segment: Segment;
  readonly cause: Cause;
  readonly ranges: readonly SequenceRange[];
  readonly spanBytes: number;
}

/** The segment that is written to. */
export interface ActiveSegment {
  readonly segment: Segment;
  readonly file: AppendFile;
  /** Header and carried departures; written with the first group. */
  opening: readonly Uint8Array[];
  /** Where the next byte goes. */
  writtenBytes: number;
  /** The highest number of the departures that were written here. */
  writtenDeparture: number;
  /** Syncs run one after the other; once one has failed, so do all that follow. */
  syncing: Promise<void>;
  failedSync: Error | undefined;
}

/**
 * The log in memory.
 *
 * Invariants: nextSequence = end of the newest segment that has spans, unless sequences were
 * skipped; buffered spans = stored spans of all segments + orphans; usedBytes = file bytes of
 * `segments` and `doomed` + removedBytes, and usedBytes <= maxDiskBytes after every write.
 */
export interface LogState {
  // Fixed at construction.
  readonly parts: LogParts;
  readonly ledgers: LogLedgers;

  // Moved by group commits.
  /** Oldest first; the active one is the last. */
  readonly segments: Segment[];
  active: ActiveSegment | undefined;
  /** The newest segment whose opening is on stable storage. */
  anchor: Segment | undefined;
  /** At level `process`: full segments that were not synced to their end. */
  readonly unsynced: ActiveSegment[];
  acceptedEnd: number;
  nextSequence: number;
  nextNumber: number;
  usedBytes: number;
  queue: PendingRequest[];
  queuedBytes: number;
  /** Resolves when nothing is left to be written; undefined when nothing is being written. */
  writing: Promise<void> | undefined;
  isClosed: boolean;

  // Moved by disk failures, and by what there is no room for.
  failure: DiskFailure | undefined;
  /** No segment is open, and the last attempt to write failed or found no room. */
  isBlocked: boolean;

  // Moved by departures.
  departures: PendingDeparture[];
  departureCount: number;
  syncedDeparture: number;
  /** Leased spans whose segment was evicted. */
  orphans: { spans: number; bytes: number };
  /** Files that are no part of the log any more, to be removed. */
  doomed: Segment[];
  /** Of files that are removed, while a power cut could still bring them back. */
  removedBytes: number;
  removing: Promise<void>;
  /** Names were added or removed since the last sync of the directory was begun. */
  isDirectoryDirty: boolean;
  directorySyncing: Promise<void>;
  /** Reads for leases run one after the other. */
  reading: Promise<unknown>;
  /**
   * How often a read in progress has become stale: spans are free again that come before what it
   * has found, or it has met damage, and there is more behind it.
   */
  staleCount: number;
}

export interface DiskFailure {
  readonly reason: string;
  readonly retryAtMs: number;
  readonly delayMs: number;
}

export function emptyLog(parts: LogParts): LogState {
  return {
    parts,
    ledgers: emptyLedgers(),
    segments: [],
    active: undefined,
    anchor: undefined,
    unsynced: [],
    acceptedEnd: 1,
    nextSequence: 1,
    nextNumber: 1,
    usedBytes: 0,
    queue: [],
    queuedBytes: 0,
    writing: undefined,
    isClosed: false,
    failure: undefined,
    isBlocked: false,
    departures: [],
    departureCount: 0,
    syncedDeparture: 0,
    orphans: { spans: 0, bytes: 0 },
    doomed: [],
    removedBytes: 0,
    removing: Promise.resolve(),
    isDirectoryDirty: false,
    directorySyncing: Promise.resolve(),
    reading: Promise.resolve(),
    staleCount: 0,
  };
}

/** The segment that a span lies in; undefined when the segment is gone. */
export function segmentOf(state: LogState, sequence: number): Segment | undefined {
  return state.segments.findLast(
    ({ firstSequence, endSequence }) => firstSequence <= sequence && sequence < endSequence,
  );
}
