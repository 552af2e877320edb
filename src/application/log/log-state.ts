import type { Checksum, AppendFile, Disk } from "../../ports/disk.ts";
import type { Clock } from "../../ports/clock.ts";
import type { VisitStored } from "./stored-request.ts";
import type { RequestContexts } from "../ring/ring-services.ts";
import { type Cause, emptyLedgers, extentOf, type LogLedgers, type Segment } from "./segment.ts";
import { hasRange, type SequenceRange } from "./sequence-ranges.ts";

/**
 * Says when a request is acknowledged. `disk`: once it is on stable storage. `process`: once it is
 * written; `sync` is called periodically. `stop`: once it is written; only `close` syncs.
 */
export type Durability = (typeof DURABILITIES)[number];
export const DURABILITIES = ["disk", "process", "stop"] as const;

/**
 * Says what happens to requests while the disk fails. `refuse`: they are refused. `memory`: they
 * are acknowledged once they are in memory, until a new segment can be written.
 */
export type DiskFailurePolicy = (typeof DISK_FAILURE_POLICIES)[number];
export const DISK_FAILURE_POLICIES = ["refuse", "memory"] as const;

/** Whether the log can be written; if not, whether requests are acknowledged without it. */
export const DISK_STATES = ["writable", "failing", "memory_only"] as const;

export interface LogSettings {
  readonly durability: Durability;
  /** Maximum size of all segments together. */
  readonly maxDiskBytes: number;
  /** Size at which a segment is full. */
  readonly segmentBytes: number;
  /** What happens when the disk is full: evict the oldest segment, or refuse requests. */
  readonly overflowPolicy: "drop_oldest" | "refuse";
  readonly diskFailure: DiskFailurePolicy;
  /** Maximum size of requests that wait for a slow disk; others are refused. */
  readonly maxQueuedBytes: number;
}

/** Receives events of the disk for logs, metrics and health. */
export interface LogWatcher {
  /** The log cannot be written; the next attempt is made after `retryAfterMs`. */
  diskFailed(failure: { readonly reason: string; readonly retryAfterMs: number }): void;
  /** The log can be written again. Meanwhile, so many spans were accepted into memory only. */
  diskRecovered(recovery: { readonly memoryOnlySpans: number }): void;
  /** At level `process`, the spans of a full segment may not survive a power cut. */
  syncFailed(failure: { readonly segment: string; readonly reason: string }): void;
  /** A segment is removed to make room: `spans` are evicted, and leased ones may follow. */
  evicted(segment: SequenceRange & { readonly spans: number }): void;
  /** Stored spans turned out to be unreadable; they count as evicted. */
  damaged(damage: FoundDamage): void;
}

/** Damage that was found in a segment while spans were read. */
export interface FoundDamage {
  readonly segment: string;
  readonly firstSequence: number;
  readonly lostSpans: number;
  /** With a `memory`: the requests with free spans that can be read and are on disk only. */
  readonly left: readonly LeftSpans[];
}

export interface LeftSpans {
  readonly request: Uint8Array;
  readonly spanCount: number;
  /** Spans of the request, by position. */
  readonly ranges: readonly SequenceRange[];
}

/**
 * The newest spans, which are in memory too. Leases do not read them from the disk, and damage to
 * the disk does not lose them.
 */
export interface MemoryWindow {
  /**
   * Receives each segment with stored spans that a start finds, newest first. Returns a function
   * for its requests if memory has no room for any of them; the others are read again, oldest
   * first.
   */
  found(segment: Segment): VisitStored | undefined;
  range(): { readonly first: number; readonly next: number };
  /** Returns the service of each context of a request, as the ledger of the memory knows it. */
  services(request: RequestContexts): Uint32Array;
  /** Returns the bytes of the spans in a range that are in memory and not leased. */
  freeBytes(range: SequenceRange): number;
}

export interface LogParts {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly clock: Clock;
  readonly unixMs: () => number;
  /** Returns a number from 0 up to, but not including, 1, for the salts of segments. */
  readonly random: () => number;
  /** 32 hexadecimal digits. */
  readonly runId: string;
  readonly settings: LogSettings;
  readonly watcher: LogWatcher;
  /** Undefined if every span is read from the disk. */
  readonly memory?: MemoryWindow | undefined;
}

/** A valid request with at least one span, and what the log records about it. */
export interface LogRequest {
  /** An encoded `ExportTraceServiceRequest`; must not change until the promise is settled. */
  readonly bytes: Uint8Array;
  readonly spanCount: number;
  /** Size of the spans as encoded `Span` messages. */
  readonly spanBytes: number;
  readonly unixMs: number;
  /**
   * The sequence of its first span, if it is not the next one: the spans between were never in the
   * log.
   */
  readonly sequence?: number | undefined;
  /**
   * Called once the request is as safe as the level promises, before the promise resolves, in the
   * order of the sequences. This callback puts the spans into the ring.
   */
  readonly stored?: ((firstSequence: number) => void) | undefined;
}

/** The outcome of a request. Only one with a sequence may be acknowledged. */
export type AppendOutcome =
  | { readonly outcome: "logged"; readonly firstSequence: number }
  /** In memory only, because the disk has failed; no segment has its sequences. */
  | { readonly outcome: "memory_only"; readonly firstSequence: number }
  /** No room, or too many requests are waiting for the disk; nothing was stored. */
  | { readonly outcome: "refused"; readonly message: string }
  /** Too large for the whole log; nothing was stored. */
  | { readonly outcome: "too_large" }
  /** The disk failed; the sender must not consider the request safe. */
  | { readonly outcome: "failed"; readonly message: string; readonly retryAfterMs: number };

export interface PendingRequest {
  readonly request: LogRequest;
  readonly resolve: (logged: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Spans of one segment that departed together; their record is to be written. */
export interface PendingDeparture {
  readonly segment: Segment;
  readonly cause: Cause;
  readonly ranges: readonly SequenceRange[];
  readonly spanBytes: number;
}

/** The segment that is being written. */
export interface ActiveSegment {
  readonly segment: Segment;
  readonly file: AppendFile;
  /** Header and carried departures; written with the first group. */
  opening: readonly Uint8Array[];
  /** Offset of the next byte. */
  writtenBytes: number;
  /** The highest number of the departures written here. */
  writtenDeparture: number;
  /** Syncs run one after the other; after a failed one, all later ones fail. */
  syncing: Promise<void>;
  failedSync: Error | undefined;
}

/**
 * The state of the log in memory.
 *
 * Invariants: nextSequence = end of the newest segment that has spans, unless sequences were
 * skipped or are in memory only; buffered spans = stored spans of all segments + orphans; usedBytes
 * = file bytes of `segments` and `doomed` + removedBytes, and usedBytes <= maxDiskBytes after every
 * write.
 */
export interface LogState {
  // Fixed at construction.
  readonly parts: LogParts;
  readonly ledgers: LogLedgers;

  // Changed by group commits.
  /** Oldest first; the active one is the last. */
  readonly segments: Segment[];
  active: ActiveSegment | undefined;
  /** The newest segment whose opening is on stable storage. */
  anchor: Segment | undefined;
  /** Full segments not synced to their end, at level `process`. */
  readonly unsynced: ActiveSegment[];
  acceptedEnd: number;
  nextSequence: number;
  nextNumber: number;
  usedBytes: number;
  queue: PendingRequest[];
  queuedBytes: number;
  /** Resolves once everything is written; undefined if nothing is being written. */
  writing: Promise<void> | undefined;
  isClosed: boolean;

  // Changed by disk failures and by a lack of room.
  failure: DiskFailure | undefined;
  /** Whether no segment is open and the last attempt to write failed or found no room. */
  isBlocked: boolean;

  // Changed by departures.
  departures: PendingDeparture[];
  departureCount: number;
  syncedDeparture: number;
  /** Leased spans whose segment was evicted. */
  readonly orphans: { readonly ranges: SequenceRange[]; bytes: number };
  /** Files that no longer belong to the log and are to be removed. */
  doomed: Segment[];
  /** Bytes of removed files that a power cut could still bring back. */
  removedBytes: number;
  removing: Promise<void>;
  /** Whether names were added or removed since the last sync of the directory began. */
  isDirectoryDirty: boolean;
  directorySyncing: Promise<void>;
  /** Reads for leases run one after the other. */
  reading: Promise<unknown>;
  /** Receives what they read; undefined while no span is on disk only. */
  leaseMemory: Uint8Array<ArrayBuffer> | undefined;
  /**
   * Number of times that the read in progress has become stale: spans before its results are free
   * again, or it has met damage that is followed by more spans.
   */
  staleCount: number;
}

export interface DiskFailure {
  readonly reason: string;
  retryAtMs: number;
  readonly delayMs: number;
  /** Number of spans accepted since the first attempt that failed. */
  memoryOnlySpans: number;
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
    orphans: { ranges: [], bytes: 0 },
    doomed: [],
    removedBytes: 0,
    removing: Promise.resolve(),
    isDirectoryDirty: false,
    directorySyncing: Promise.resolve(),
    reading: Promise.resolve(),
    leaseMemory: undefined,
    staleCount: 0,
  };
}

/** Returns the segment of a span; undefined if it was removed, or the span is in memory only. */
export function segmentOf(state: LogState, sequence: number): Segment | undefined {
  return state.segments.findLast(
    ({ firstSequence, endSequence }) => firstSequence <= sequence && sequence < endSequence,
  );
}

/** Returns the range of the segment that has a span; undefined if it is not stored. */
export function storedExtent(state: LogState, sequence: number): SequenceRange | undefined {
  const segment = segmentOf(state, sequence);
  const span = { first: sequence, end: sequence + 1 };
  const isStored = segment !== undefined && !hasRange(segment.departed, span);
  return isStored ? extentOf(segment) : undefined;
}
