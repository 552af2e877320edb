import { closeSync, openSync } from "node:fs";
import type { Clock } from "../../ports/clock.ts";

/** A listener that can stop accepting connections for a while. */
export interface PausableListener {
  /** Closes the unused connections that it knows. */
  relieve(): void;
  /** Stops accepting connections. Open ones that are in use stay. */
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
 * First, unused connections are closed. If that is not enough, all listeners are closed until
 * descriptors are free again; meanwhile exporters are refused, and retry. The pauses grow while the
 * shortage lasts, so the spinning takes DESCRIPTOR_CHECK_MS of each MAX_PAUSE_MS at most.
 */
export class DescriptorGuard {
  // Fixed at construction.
  private readonly parts: DescriptorGuardParts;

  // Moved by `tick`.
  private pauseMs = MIN_PAUSE_MS;
  private pausedUntilMs: number | undefined;
  private isPartlyResumed = false;
  private exhaustedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: DescriptorGuardParts) {
    this.parts = parts;
  }

  /** Must be called every `DESCRIPTOR_CHECK_MS`, after the previous call has resolved. */
  async tick(): Promise<void> {
    if (this.pausedUntilMs !== undefined) await this.resumeWhenDue(this.pausedUntilMs);
    else if (!this.parts.canOpen(1)) this.relieveOrPause(this.parts.clock.monotonicMs());
  }

  private relieveOrPause(nowMs: number): void {
    const isFirst = nowMs - this.exhaustedMs > CALM_MS;
    this.exhaustedMs = nowMs;
    if (isFirst) this.relieve();
    else this.pause(nowMs + this.pauseMs);
    this.parts.exhausted();
  }

  private relieve(): void {
    this.pauseMs = MIN_PAUSE_MS;
    for (const listener of this.parts.listeners) listener.relieve();
  }

  private pause(untilMs: number): void {
    this.pausedUntilMs = untilMs;
    this.isPartlyResumed = false;
    this.pauseMs = Math.min(2 * this.pauseMs, MAX_PAUSE_MS);
    for (const listener of this.parts.listeners) listener.pause();
  }

  private async resumeWhenDue(dueMs: number): Promise<void> {
    const { clock, canOpen } = this.parts;
    if (this.isPartlyResumed && !canOpen(1)) return this.relieveOrPause(clock.monotonicMs());
    if (clock.monotonicMs() < dueMs || !canOpen(NEEDED_DESCRIPTORS)) return;
    this.pausedUntilMs = await this.resume();
  }

  /** Resumes all listeners; returns when to retry if one of them could not listen. */
  private async resume(): Promise<number | undefined> {
    const isEachBack = await resumeAll(this.parts.listeners);
    this.isPartlyResumed = !isEachBack;
    this.exhaustedMs = this.parts.clock.monotonicMs();
    return isEachBack ? undefined : this.exhaustedMs + MIN_PAUSE_MS;
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
