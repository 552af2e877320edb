import type { SleepingClock, TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReloadableSink } from "../../ports/span-sink.ts";
import type { Arrivals } from "../arrivals/arrivals.ts";
import { stopWithin } from "../shutdown/life-cycle.ts";
import { AbandonableSink } from "./abandonable-sink.ts";
import { Backlog, type BacklogParts } from "./backlog.ts";
import { BatchSize } from "./batch-size.ts";
import type { DeliveryNotes } from "./delivery-notes.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import { forwardAll, type Forwarding, type ForwardSettings } from "./forward-all.ts";
import { zeroForwardFigures } from "./forward-figures.ts";
import { ForwardLog } from "./forward-log.ts";
import type { ForwardStatus } from "./forward-status.ts";
import { Probe } from "./probe.ts";
import { UpstreamGate } from "./upstream-gate.ts";
import type { ForwardedBuffer } from "../../ports/trace-buffer.ts";

export type { ForwardSettings } from "./forward-all.ts";

export interface ForwarderParts {
  readonly buffer: ForwardedBuffer;
  /** Of the buffer. */
  readonly capacity: { readonly spans: number; readonly bytes: number };
  readonly arrivals: Pick<Arrivals, "onNext">;
  readonly sink: ReloadableSink;
  readonly settings: ForwardSettings;
  readonly clock: SleepingClock & TimerClock;
  readonly unixMs: () => number;
  /** From 0 up to, and without, 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** For whoever is told when to come back: neither at once nor when nobody remembers. */
const ROOM_AFTER_MS = { least: 100, most: 60_000, whenUnknown: 1_000 };

/** Sends what is buffered on to the upstream, the oldest first; see `forwardAll`. */
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

  /** Sends at once what is buffered, as far as time allows; nothing arrives any more. */
  drain(graceMs: number): void {
    this.forwarding.notes.backlog.stop();
    this.forwarding.notes.gate.hurry(graceMs);
  }

  /** Reads credentials and certificates again, and ends a pause: they may have been its reason. */
  async reload(): Promise<boolean> {
    const isInUse = await this.parts.sink.reload();
    this.forwarding.notes.gate.endPause();
    return isInUse;
  }

  /** Sends what is there still, within the time given; what is in flight then is given back. */
  async stop(graceMs: number): Promise<void> {
    this.drain(graceMs);
    await stopWithin(graceMs, { gently: () => this.running, byForce: () => this.giveUp() });
    await within(LAST_MS, () => this.parts.sink.close());
    this.forwarding.notes.log.close();
  }

  status(): ForwardStatus {
    const { log, gate, rate, figures } = this.forwarding.notes;
    const { state, lastError } = log;
    const { pauseLeftMs } = gate;
    const { spansPerSecond } = rate;
    return { state, pauseLeftMs, lastError, spansPerSecond, lagMs: lagMs(this.parts), figures };
  }

  /** When there may be room for so many spans more, as fast as they leave now. */
  roomAfterMs(spanCount: number): number {
    const { rate, gate } = this.forwarding.notes;
    const { least, most, whenUnknown } = ROOM_AFTER_MS;
    const { spansPerSecond } = rate;
    const leavingMs = spansPerSecond > 0 ? (spanCount / spansPerSecond) * 1_000 : whenUnknown;
    return Math.ceil(Math.min(most, Math.max(least, leavingMs, gate.pauseLeftMs)));
  }

  /** A sink that does not even give up, on a disk that hangs say, delays neither spill nor stop. */
  private async giveUp(): Promise<void> {
    this.cancelling.abort();
    await within(LAST_MS, () => this.running);
    this.sink.abandon();
    await this.running;
  }
}

/** For what should end at once. */
const LAST_MS = 1_000;

async function within(limitMs: number, gently: () => Promise<void>): Promise<void> {
  await stopWithin(limitMs, { gently, byForce: async () => {} });
}

function lagMs({ buffer, unixMs }: ForwarderParts): number {
  const oldest = buffer.oldestUnixMs();
  return oldest === undefined ? 0 : Math.max(0, unixMs() - oldest);
}

/** No more than half of the ring: what waits to be sent is not to make room meanwhile. */
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
  const asked = { probe: new Probe(sink, cancelled), evidence: { takesSpans: false } };
  return { buffer, sink, ...asked, settings, clock, logger, notes };
}
