import { closeSync, openSync } from "node:fs";
import type { Clock } from "../../ports/clock.ts";

/** A listener that can stop taking connections for a while. */
export interface PausableListener {
  /** Closes connections that are not in use, as far as it knows them. */
  relieve(): void;
  /** Takes no more connections. Those that are open stay, as far as they are in use. */
  pause(): void;
  /** Listens again, on the same port, where it does not. Rejects when it cannot. */
  resume(): Promise<void>;
}

export interface DescriptorGuardParts {
  readonly listeners: readonly PausableListener[];
  /** Whether so many files more can be open at the same time. */
  readonly canOpen: (count: number) => boolean;
  readonly clock: Clock;
  /** There was none left, and connections were closed, or listeners paused. */
  readonly exhausted: () => void;
}

/** Between two looks. */
export const DESCRIPTOR_CHECK_MS = 250;

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 16_000;
/** After as long without exhaustion, the next one is taken for the first one. */
const CALM_MS = 60_000;

/** For three listeners, and a first connection. */
const NEEDED_DESCRIPTORS = 4;

/**
 * Keeps listeners from spinning when the process has no file descriptor left.
 *
 * A connection that cannot be accepted stays in the queue of its listening socket, and Bun 1.4.5
 * tries again at once, for ever: a core is gone, and neither `Bun.serve` nor `net.Server` says so
 * (https://github.com/oven-sh/bun/pull/32705). Only a socket that is closed has no queue.
 *
 * At first connections are closed that are not in use. Where that is not enough, all listeners are
 * closed while there is no descriptor left, and opened again when there are some; meanwhile
 * exporters are refused, and try again later. The pauses become longer while this goes on, so that
 * what is left of the spinning is DESCRIPTOR_CHECK_MS in MAX_PAUSE_MS.
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

  /** To be called every `DESCRIPTOR_CHECK_MS`, and not before the last call has resolved. */
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

  /** Returns when to try again, where a listener could not listen. The others do meanwhile. */
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

/** Reports whether so many files can be opened, by opening them. Other failures do not count. */
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

/** Of the process, or of the whole system. */
function isExhaustion(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EMFILE" || code === "ENFILE";
}
