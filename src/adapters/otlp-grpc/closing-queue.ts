import type { TimerClock } from "../../ports/clock.ts";

interface ClosingConnection {
  close(): void;
  /** Resolves when it is closed, by either side. */
  readonly closed: Promise<void>;
}

export const CLOSING_INTERVAL_MS = 10;

/** To close a thousand in a second takes a tenth of the processor time. */
export const CLOSED_TOGETHER = 10;

/** The connections that may wait to be closed for each one that may be open. */
const WAITING_PER_OPEN = 4;

/**
 * Returns how many connections may wait to be closed. Together with the open ones, they take half
 * of the file descriptors at most, so that peers that connect again and again do not use them up.
 */
export function maxWaiting(maxOpen: number, maxFiles: number): number {
  return Math.max(0, Math.min(WAITING_PER_OPEN * maxOpen, Math.floor(maxFiles / 2) - maxOpen));
}

/**
 * Closes connections that have made room for others, at a steady pace.
 *
 * Their peers can connect again as soon as they are closed, and take the room of the next ones.
 * With 4,000 silent connections, this happened 10,000 times a second and took all the processor
 * time. A connection that waits takes only a socket, so peers come back no faster than the pace,
 * unless too many of them wait.
 */
export class ClosingQueue {
  // Fixed at construction.
  private readonly capacity: number;
  private readonly clock: TimerClock;

  // Moved by the methods below; the timer runs while connections wait.
  private readonly waiting = new Set<ClosingConnection>();
  private cancel: (() => void) | undefined;

  constructor(capacity: number, clock: TimerClock) {
    this.capacity = capacity;
    this.clock = clock;
  }

  add(connection: ClosingConnection): void {
    this.waiting.add(connection);
    void connection.closed.then(() => this.waiting.delete(connection));
    if (this.waiting.size > this.capacity) this.close(1);
    this.schedule();
  }

  /** Closes those that wait without waiting any longer. */
  closeAll(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.close(this.waiting.size);
  }

  private schedule(): void {
    this.cancel ??= this.clock.schedule(CLOSING_INTERVAL_MS, () => {
      this.cancel = undefined;
      this.close(CLOSED_TOGETHER);
      if (this.waiting.size > 0) this.schedule();
    });
  }

  private close(count: number): void {
    for (const connection of this.waiting.values().take(count)) {
      this.waiting.delete(connection);
      connection.close();
    }
  }
}
