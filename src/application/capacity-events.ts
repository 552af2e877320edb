import type { Clock } from "../ports/clock.ts";
import type { LogFields, Logger } from "../ports/logger.ts";

/** At most one line in this time, however much is lost. */
export const CAPACITY_LINE_INTERVAL_MS = 1_000;

/** The words of one kind of episode, as events of the log. */
export interface EpisodeEvents {
  readonly began: string;
  readonly lasts: string;
  readonly ended: string;
  readonly unit: "spans" | "requests";
}

export const EVICTION: EpisodeEvents = {
  began: "eviction_began",
  lasts: "evicting",
  ended: "eviction_ended",
  unit: "spans",
};

export const REFUSAL: EpisodeEvents = {
  began: "refusal_began",
  lasts: "refusing",
  ended: "refusal_ended",
  unit: "spans",
};

/** Spans that are not valid, in requests of which the others were kept. */
export const REJECTION: EpisodeEvents = {
  began: "rejection_began",
  lasts: "rejecting",
  ended: "rejection_ended",
  unit: "spans",
};

/** Malformed or too large: nothing of them is kept, and they are in no book. */
export const FAULTY_REQUESTS: EpisodeEvents = {
  began: "faulty_requests_began",
  lasts: "faulty_requests",
  ended: "faulty_requests_ended",
  unit: "requests",
};

/**
 * Tells of spans that found no room, without a line for each: one when it begins, one a second
 * while it lasts, with counts, and one when a second has passed without any.
 *
 * Invariant: those noted = those told of in lines + `untoldCount`.
 */
export class CapacityEpisode {
  // Fixed at construction.
  private readonly events: EpisodeEvents;
  private readonly logger: Logger;
  private readonly clock: Clock;

  // Moved by `note`, `tick` and `finish`, by nothing else.
  private untoldCount = 0;
  private toldCount = 0;
  private reason: string | undefined;
  private lasts = false;
  private lastLineMs = Number.NEGATIVE_INFINITY;

  constructor(events: EpisodeEvents, { logger, clock }: { logger: Logger; clock: Clock }) {
    this.events = events;
    this.logger = logger;
    this.clock = clock;
  }

  /** It has just happened to `count` more. The next line gives the last reason there is. */
  note(count: number, reason?: string): void {
    this.untoldCount += count;
    this.reason = reason;
    if (!this.lasts) this.tick();
  }

  /** To be called about once a second: a line that is due is written. */
  tick(): void {
    if (this.clock.monotonicMs() - this.lastLineMs < CAPACITY_LINE_INTERVAL_MS) return;
    if (this.untoldCount > 0) this.tell();
    else if (this.lasts) this.end();
  }

  /** Nothing more will happen: what is untold is told, without waiting for the next second. */
  finish(): void {
    if (this.untoldCount > 0) this.tell();
    if (this.lasts) this.end();
  }

  private tell(): void {
    const reason = this.reason === undefined ? {} : { reason: this.reason };
    const event = this.lasts ? this.events.lasts : this.events.began;
    this.write(event, { [this.events.unit]: this.untoldCount, ...reason });
    [this.toldCount, this.untoldCount] = [this.toldCount + this.untoldCount, 0];
    this.lasts = true;
  }

  private end(): void {
    this.write(this.events.ended, { [`${this.events.unit}_in_all`]: this.toldCount });
    this.toldCount = 0;
    this.lasts = false;
  }

  private write(event: string, fields: LogFields): void {
    this.logger.warning(event, fields);
    this.lastLineMs = this.clock.monotonicMs();
  }
}
