import type { SleepingClock, TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReloadableSink, SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import { stopWithin } from "../shutdown/life-cycle.ts";
import { Backlog, type BacklogParts } from "./backlog.ts";
import { BatchSize } from "./batch-size.ts";
import type { DeliveryNotes } from "./delivery-notes.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import { forwardAll, type Forwarding, type ForwardSettings, Probe } from "./forward-all.ts";
import { type ForwardStatus, zeroForwardFigures } from "./forward-status.ts";
import { ForwardLog } from "./forward-log.ts";
import { untilAborted, UpstreamGate } from "./upstream-gate.ts";
import type { ForwardedBuffer } from "../../ports/trace-buffer.ts";

export type { ForwardSettings } from "./forward-all.ts";

export interface ForwarderParts {
  readonly buffer: ForwardedBuffer;
  /** Capacity of the buffer. */
  readonly capacity: { readonly spans: number; readonly bytes: number };
  readonly arrivals: Pick<Arrivals, "onNext">;
  readonly sink: ReloadableSink;
  readonly settings: ForwardSettings;
  readonly clock: SleepingClock & TimerClock;
  readonly unixMs: () => number;
  /** Returns a random number from 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** Bounds of the delay that a refused sender is asked to wait. */
const ROOM_AFTER_MS = { least: 100, most: 60_000, whenUnknown: 1_000 };

/** Forwards the buffered spans to the upstream, oldest first; see `forwardAll`. */
export class Forwarder {
  // Fixed at construction.
  private readonly parts: ForwarderParts;
  private readonly forwarding: Forwarding;
  private readonly cancelling = new AbortController();
  private readonly sink: AbandonableSink;

  // Moved by `start`.
  private running: Promise<void> = Promise.resolve();

  constructor(parts: ForwarderParts) {
    this.parts = parts;
    this.sink = new AbandonableSink(parts.sink);
    this.forwarding = forwardingOf(parts, this.sink, this.cancelling.signal);
  }

  start(): void {
    this.running = forwardAll(this.forwarding);
  }

  /** Sends the buffered spans at once, as far as time allows. No more spans are arriving. */
  drain(graceMs: number): void {
    this.forwarding.notes.backlog.stop();
    this.forwarding.notes.gate.hurry(graceMs);
  }

  /**
   * Reads credentials and certificates again, and ends a pause, because they may have been the
   * cause.
   */
  async reload(): Promise<boolean> {
    const isInUse = await this.parts.sink.reload();
    this.forwarding.notes.gate.endPause();
    return isInUse;
  }

  /** Sends the remaining spans within the given time, then returns those in flight to the ring. */
  async stop(graceMs: number): Promise<void> {
    this.drain(graceMs);
    const { clock, sink } = this.parts;
    await stopWithin(graceMs, { gently: () => this.running, byForce: () => this.giveUp() }, clock);
    await within(LAST_MS, () => sink.close(), clock);
    this.forwarding.notes.log.close();
  }

  status(): ForwardStatus {
    const { log, gate, rate, figures } = this.forwarding.notes;
    const { state, lastError } = log;
    const { pauseLeftMs } = gate;
    const { spansPerSecond } = rate;
    return { state, pauseLeftMs, lastError, spansPerSecond, lagMs: lagMs(this.parts), figures };
  }

  /** Estimates when this many spans will fit, at the current rate. */
  roomAfterMs(spanCount: number): number {
    const { rate, gate } = this.forwarding.notes;
    const { least, most, whenUnknown } = ROOM_AFTER_MS;
    const { spansPerSecond } = rate;
    const leavingMs = spansPerSecond > 0 ? (spanCount / spansPerSecond) * 1_000 : whenUnknown;
    return Math.ceil(Math.min(most, Math.max(least, leavingMs, gate.pauseLeftMs)));
  }

  /**
   * Cancels sending. A sink that does not react, for example because a disk hangs, is abandoned.
   */
  private async giveUp(): Promise<void> {
    this.cancelling.abort();
    await within(LAST_MS, () => this.running, this.parts.clock);
    this.sink.abandon();
    await this.running;
  }
}

/** Time limit for steps that should end at once. */
const LAST_MS = 1_000;

async function within(
  limitMs: number,
  gently: () => Promise<void>,
  clock: TimerClock,
): Promise<void> {
  await stopWithin(limitMs, { gently, byForce: async () => {} }, clock);
}

function lagMs({ buffer, unixMs }: ForwarderParts): number {
  const oldest = buffer.oldestUnixMs();
  return oldest === undefined ? 0 : Math.max(0, unixMs() - oldest);
}

/**
 * Returns the size of a full batch: at most half of the ring, so that waiting spans are not evicted
 * before they are sent.
 */
function fullBatch({ settings, capacity }: ForwarderParts): BacklogParts["full"] {
  return {
    spans: Math.min(settings.batchSpans, Math.ceil(capacity.spans / 2)),
    bytes: Math.min(settings.batchBytes, Math.ceil(capacity.bytes / 2)),
  };
}

function forwardingOf(
  parts: ForwarderParts,
  sink: AbandonableSink,
  cancelled: AbortSignal,
): Forwarding {
  const { settings, clock, random } = parts;
  const { retryInitialMs: initialMs, retryMaxMs: maxMs } = settings;
  const notes: DeliveryNotes = {
    figures: zeroForwardFigures(),
    gate: new UpstreamGate({ clock, random, initialMs, maxMs }),
    backlog: new Backlog({ ...parts, maxDelayMs: settings.maxDelayMs, full: fullBatch(parts) }),
    size: new BatchSize(settings.batchBytes),
    rate: new DeliveryRate(clock),
    log: new ForwardLog(parts),
    cancelled,
  };
  const { buffer, logger } = parts;
  const inquiry = { probe: new Probe(sink, cancelled), evidence: { takesSpans: false } };
  return { buffer, sink, ...inquiry, settings, clock, logger, notes };
}

const ABANDONED: SendOutcome = {
  outcome: "retry",
  message: "abandoned: the send did not end in time",
};

/**
 * A sink whose sends can be abandoned. A write to a disk that hangs cannot be cancelled: after
 * `abandon`, its outcome is ignored and the spans count as not delivered, although the upstream may
 * have received them.
 */
export class AbandonableSink implements Pick<SpanSink, "send"> {
  // Fixed at construction.
  private readonly sink: Pick<SpanSink, "send">;
  private readonly abandoning = new AbortController();

  constructor(sink: Pick<SpanSink, "send">) {
    this.sink = sink;
  }

  async send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    if (this.abandoning.signal.aborted) return ABANDONED;
    let outcome = ABANDONED;
    const sending = this.sink.send(batch, cancelled).then((ended) => (outcome = ended));
    await untilAborted(sending, this.abandoning.signal);
    return outcome;
  }

  /** Stops waiting for all pending sends. */
  abandon(): void {
    this.abandoning.abort();
  }
}
