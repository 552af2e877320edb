import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";

/** At most one line in this time, however much is lost. */
export const CAPACITY_LINE_INTERVAL_MS = 1_000;

/** The words of one kind of episode, as events of the log. */
export interface EpisodeEvents {
  readonly began: string;
  readonly lasts: string;
  readonly ended: string;
}

export const EVICTION: EpisodeEvents = {
  began: "eviction_began",
  lasts: "evicting",
  ended: "eviction_ended",
};

export const REFUSAL: EpisodeEvents = {
  began: "refusal_began",
  lasts: "refusing",
  ended: "refusal_ended",
};

/**
 * Tells of spans that found no room, without a line for each: one when it begins, one a second
 * while it lasts, with counts, and one when a second has passed without any.
 *
 * Invariant: spans noted = spans told in lines + `untoldSpans`.
 */
export class CapacityEpisode {
  // Fixed at construction.
  private readonly events: EpisodeEvents;
  private readonly logger: Logger;
  private readonly clock: Clock;

  // Moved by `note` and `tick`, by nothing else.
  private untoldSpans = 0;
  private toldSpans = 0;
  private lasts = false;
  private lastLineMs = Number.NEGATIVE_INFINITY;

  constructor(events: EpisodeEvents, { logger, clock }: { logger: Logger; clock: Clock }) {
    this.events = events;
    this.logger = logger;
    this.clock = clock;
  }

  /** `spanCount` spans have just been evicted or refused. */
  note(spanCount: number): void {
    this.untoldSpans += spanCount;
    if (!this.lasts) this.tick();
  }

  /** To be called about once a second: a line that is due is written. */
  tick(): void {
    if (this.clock.monotonicMs() - this.lastLineMs < CAPACITY_LINE_INTERVAL_MS) return;
    if (this.untoldSpans > 0) this.tell();
    else if (this.lasts) this.end();
  }

  private tell(): void {
    this.toldSpans += this.untoldSpans;
    this.write(this.lasts ? this.events.lasts : this.events.began, { spans: this.untoldSpans });
    this.untoldSpans = 0;
    this.lasts = true;
  }

  private end(): void {
    this.write(this.events.ended, { spans_in_all: this.toldSpans });
    this.toldSpans = 0;
    this.lasts = false;
  }

  private write(event: string, counts: Readonly<Record<string, number>>): void {
    this.logger.warning(event, counts);
    this.lastLineMs = this.clock.monotonicMs();
  }
}
