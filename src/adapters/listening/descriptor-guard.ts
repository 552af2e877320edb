import { closeSync, openSync } from "node:fs";
import type { Clock } from "../../ports/clock.ts";

/** A listener that can stop accepting connections for a while. */
export interface PausableListener {
  /**
   * Whether `hold` keeps all connections that are in use. Closing a listening socket does so, too,
   * except with Bun.serve.
   */
  readonly canHold: boolean;
  /** Closes the unused connections that it knows. */
  relieve(): void;
  /** Stops accepting connections. Closes no open ones, except those without a first request. */
  hold(): void;
  /** Stops accepting connections, and closes unused ones. Requests in flight may be aborted. */
  pause(): void;
  /** Listens on the same port again, unless it already does. Rejects if it cannot. */
  resume(): Promise<void>;
}

export interface DescriptorGuardParts {
  readonly listeners: readonly PausableListener[];
  /** Reports whether this many more files can be opened. */
  readonly canOpen: (count: number) => boolean;
  readonly clock: Clock;
  /** Called when no descriptor was left, and connections were closed or listeners paused. */
  readonly exhausted: () => void;
}

/** The interval between checks. */
export const DESCRIPTOR_CHECK_MS = 250;

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 16_000;
/** A pause that keeps connections costs senders less, so it may be repeated more often. */
const MAX_HOLD_PAUSE_MS = 4_000;
/**
 * The time after which connections are closed that are only open. Everything unfinished is cut by
 * then: requests after 2 s below the minimum rate, their heads after 12 s at the latest.
 */
const MAX_HOLD_MS = 15_000;
/** The time without a shortage after which the next one counts as the first. */
const CALM_MS = 60_000;

/** The number of descriptors for three listeners and a first connection. */
const NEEDED_DESCRIPTORS = 4;

/**
 * Keeps listeners from spinning when the process has no file descriptor left.
 *
 * A connection that cannot be accepted stays in the queue of its listening socket, and Bun 1.4.5
 * retries without a pause: it uses a whole core, and neither `Bun.serve` nor `net.Server` reports
 * it (https://github.com/oven-sh/bun/pull/32705). Only closing the socket empties the queue.
 *
 * On Linux, new connections are held back until descriptors are free again, and open ones are
 * served as usual: they are what senders that were there before depend on, and a sender that is
 * closed could not connect again. Unfinished requests, with which an attacker may have taken the
 * descriptors, soon reach their time limits. If that frees none within MAX_HOLD_MS, all
 * descriptors belong to connections that stay open, so those without a request are closed; else
 * the first to come could lock everyone else out for as long as they like.
 *
 * Other systems can only close the listeners, which closes connections of OTLP/HTTP that wait for
 * their next request, so idle ones are closed first, in the hope that this is enough. Meanwhile
 * exporters are refused, and retry.
 *
 * The pauses grow while the shortage lasts, so the spinning takes DESCRIPTOR_CHECK_MS of each
 * MAX_HOLD_PAUSE_MS or MAX_PAUSE_MS at most.
 */
export class DescriptorGuard {
  // Fixed at construction.
  private readonly parts: DescriptorGuardParts;

  // Moved by `tick`.
  private pauseMs = MIN_PAUSE_MS;
  private pausedUntilMs: number | undefined;
  /** Since when connections are held back; undefined unless they are. */
  private heldSinceMs: number | undefined;
  private isPartlyResumed = false;
  private exhaustedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: DescriptorGuardParts) {
    this.parts = parts;
  }

  /** Must be called every `DESCRIPTOR_CHECK_MS`, after the previous call has resolved. */
  async tick(): Promise<void> {
    if (this.pausedUntilMs !== undefined) await this.resumeWhenDue(this.pausedUntilMs);
    else if (!this.parts.canOpen(1)) this.remedy(this.parts.clock.monotonicMs());
  }

  private remedy(nowMs: number): void {
    const isFirst = nowMs - this.exhaustedMs > CALM_MS;
    this.exhaustedMs = nowMs;
    if (isFirst) this.pauseMs = MIN_PAUSE_MS;
    this.relieveOrPause(nowMs, isFirst);
    this.parts.exhausted();
  }

  private relieveOrPause(nowMs: number, isFirst: boolean): void {
    const { listeners } = this.parts;
    if (listeners.every(({ canHold }) => canHold)) this.hold(nowMs);
    else if (isFirst) for (const listener of listeners) listener.relieve();
    else this.pause(nowMs + this.pauseMs);
  }

  private hold(nowMs: number): void {
    this.heldSinceMs = nowMs;
    this.pauseUntil(nowMs + this.pauseMs, MAX_HOLD_PAUSE_MS);
    for (const listener of this.parts.listeners) listener.hold();
  }

  private pause(untilMs: number): void {
    this.heldSinceMs = undefined;
    this.pauseUntil(untilMs, MAX_PAUSE_MS);
    for (const listener of this.parts.listeners) listener.pause();
  }

  private pauseUntil(untilMs: number, maxPauseMs: number): void {
    this.pausedUntilMs = untilMs;
    this.isPartlyResumed = false;
    this.pauseMs = Math.min(2 * this.pauseMs, maxPauseMs);
  }

  private async resumeWhenDue(dueMs: number): Promise<void> {
    const { clock, canOpen } = this.parts;
    const nowMs = clock.monotonicMs();
    if (this.isPartlyResumed && !canOpen(1)) this.remedy(nowMs);
    else if (nowMs >= dueMs && canOpen(NEEDED_DESCRIPTORS)) await this.resume();
    else if (nowMs - (this.heldSinceMs ?? nowMs) >= MAX_HOLD_MS) this.pause(nowMs);
  }

  /** Resumes all listeners, and plans the next attempt if one of them could not listen. */
  private async resume(): Promise<void> {
    const isEachBack = await resumeAll(this.parts.listeners);
    this.isPartlyResumed = !isEachBack;
    this.heldSinceMs = undefined;
    this.exhaustedMs = this.parts.clock.monotonicMs();
    this.pausedUntilMs = isEachBack ? undefined : this.exhaustedMs + MIN_PAUSE_MS;
  }
}

async function resumeAll(listeners: readonly PausableListener[]): Promise<boolean> {
  const resumed = await Promise.allSettled(listeners.map((each) => each.resume()));
  return resumed.every(({ status }) => status === "fulfilled");
}

/**
 * Reports whether this many files can be opened, by opening them. Ignores failures other than a
 * shortage.
 */
export function canOpenFiles(count: number, open = () => openSync("/dev/null", "r")): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(open());
    return true;
  } catch (error) {
    return !isExhaustion(error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** Reports a shortage of the process or of the whole system. */
function isExhaustion(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EMFILE" || code === "ENFILE";
}
