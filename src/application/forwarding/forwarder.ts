import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { SpanSink } from "../../ports/span-sink.ts";
import type { Arrivals } from "../arrivals.ts";
import { stopWithin } from "../life-cycle.ts";
import type { ObservabilityBuffer } from "../observability-buffer.ts";
import type { Lease } from "../ring-lease.ts";
import { Backlog } from "./backlog.ts";
import { BatchSize } from "./batch-size.ts";
import { deliver } from "./delivery.ts";
import { type DeliveryNotes, notesOf } from "./delivery-notes.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import { noForwardFigures } from "./forward-figures.ts";
import { ForwardLog } from "./forward-log.ts";
import type { ForwardStatus } from "./forward-status.ts";
import { type Pass, UpstreamGate } from "./upstream-gate.ts";

export interface ForwardSettings {
  readonly batchSpans: number;
  readonly batchBytes: number;
  /** How long a batch that is not full waits for more spans. */
  readonly maxDelayMs: number;
  /** Batches in flight at a time; with one, spans are delivered in the order they came in. */
  readonly concurrency: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
}

export interface ForwarderParts {
  readonly buffer: Pick<ObservabilityBuffer, "lease" | "settle" | "range" | "oldestUnixMs">;
  readonly arrivals: Pick<Arrivals, "onNext">;
  readonly sink: SpanSink;
  readonly settings: ForwardSettings;
  readonly clock: SleepingClock;
  readonly unixMs: () => number;
  /** From 0 up to, and without, 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** For whoever is told when to come back: neither at once nor when nobody remembers. */
const ROOM_AFTER_MS = { least: 100, most: 60_000, whenUnknown: 1_000 };

/**
 * Sends what is buffered on to the upstream, the oldest first.
 *
 *   backlog ──▶ slot ──▶ gate ──▶ lease ──▶ deliver ──▶ delivered, given back, or undeliverable
 *   a batch     one of   open,    the       whole, or
 *   is due      a few    or time  oldest    in halves
 *               is free  to try
 *
 * Whoever appends waits for nothing of it but the ring's lock, once for each lease and settlement.
 *
 * Invariant: beside the ring there are no more than `concurrency` batches in memory, and their
 * spans are `figures.inFlightSpans`.
 */
export class Forwarder {
  // Fixed at construction.
  private readonly parts: ForwarderParts;
  private readonly notes: DeliveryNotes;
  private readonly cancelling = new AbortController();

  // Moved by `start`.
  private running: Promise<void> = Promise.resolve();

  // Moved by `ended`.
  private slotFree = Promise.withResolvers<void>();

  constructor(parts: ForwarderParts) {
    this.parts = parts;
    this.notes = notesFor(parts, this.cancelling.signal);
  }

  start(): void {
    this.running = this.run();
  }

  /** Nothing arrives any more: what is there is sent at once. */
  drain(): void {
    this.notes.backlog.stop();
  }

  /** Sends what is there still, within the time given; what is in flight then is given back. */
  async stop(graceMs: number): Promise<void> {
    this.drain();
    await stopWithin(graceMs, { gently: () => this.running, byForce: () => this.giveUp() });
    await this.parts.sink.close();
    this.notes.log.close();
  }

  status(): ForwardStatus {
    const { log, gate, rate, figures } = this.notes;
    const { state, lastError } = log;
    const { pauseLeftMs } = gate;
    const { spansPerSecond } = rate;
    return { state, pauseLeftMs, lastError, spansPerSecond, lagMs: lagMs(this.parts), figures };
  }

  /** When there may be room for so many spans more, as fast as they leave now. */
  roomAfterMs(spanCount: number): number {
    const { spansPerSecond } = this.notes.rate;
    const { least, most, whenUnknown } = ROOM_AFTER_MS;
    const leavingMs = spansPerSecond > 0 ? (spanCount / spansPerSecond) * 1_000 : whenUnknown;
    return Math.ceil(Math.min(most, Math.max(least, leavingMs, this.notes.gate.pauseLeftMs)));
  }

  private async run(): Promise<void> {
    // oxlint-disable no-await-in-loop -- one batch after the other is leased
    let pass = await this.nextPass();
    for (; pass !== undefined; pass = await this.nextPass()) this.leaseAndSend(pass);
    while (this.notes.figures.inFlightBatches > 0) await this.slotFree.promise;
    // oxlint-enable no-await-in-loop
  }

  /** A batch is due, and may be sent; undefined when there will be none. */
  private async nextPass(): Promise<Pass | undefined> {
    const { backlog, figures, gate, cancelled } = this.notes;
    if ((await backlog.next(() => figures.inFlightSpans)) === "over") return undefined;
    await this.freeSlot();
    return await gate.pass(cancelled);
  }

  private async freeSlot(): Promise<void> {
    const { concurrency } = this.parts.settings;
    while (this.notes.figures.inFlightBatches === concurrency) {
      // oxlint-disable-next-line no-await-in-loop -- somebody else may have been quicker
      await this.slotFree.promise;
    }
  }

  private leaseAndSend(pass: Pass): void {
    const { next } = this.parts.buffer.range();
    const lease = this.lease();
    if (lease !== undefined) return void this.send(lease, pass);
    this.notes.gate.gaveUp(pass);
    this.notes.backlog.drained(next);
  }

  private lease(): Lease | undefined {
    const limit = { spans: this.parts.settings.batchSpans, bytes: this.notes.size.bytes };
    const lease = this.parts.buffer.lease(limit);
    if (lease !== undefined) this.began(lease);
    return lease;
  }

  private began(lease: Lease): void {
    const { figures, backlog } = this.notes;
    figures.inFlightBatches += 1;
    figures.inFlightSpans += lease.sequences.length;
    backlog.leased(lease);
  }

  private async send(lease: Lease, pass: Pass): Promise<void> {
    const { buffer, sink } = this.parts;
    const { cancelled } = this.notes;
    const delivery = { buffer, sink, watcher: notesOf(this.notes, pass), cancelled };
    await deliver(delivery, lease).catch(this.failed(pass));
    this.ended(pass);
  }

  /** A fault of ours: it is told, and what comes next is slowed down. */
  private failed(pass: Pass): (error: unknown) => void {
    return (error) => {
      this.parts.logger.error("unexpected_error", { error });
      this.notes.gate.failed(pass);
    };
  }

  private ended(pass: Pass): void {
    this.notes.figures.inFlightBatches -= 1;
    this.notes.gate.gaveUp(pass);
    this.slotFree.resolve();
    this.slotFree = Promise.withResolvers();
    this.notes.backlog.look();
  }

  private async giveUp(): Promise<void> {
    this.cancelling.abort();
    await this.running;
  }
}

function lagMs({ buffer, unixMs }: ForwarderParts): number {
  const oldest = buffer.oldestUnixMs();
  return oldest === undefined ? 0 : Math.max(0, unixMs() - oldest);
}

function notesFor(parts: ForwarderParts, cancelled: AbortSignal): DeliveryNotes {
  const { settings, clock, random } = parts;
  const { retryInitialMs: initialMs, retryMaxMs: maxMs } = settings;
  return {
    figures: noForwardFigures(),
    gate: new UpstreamGate({ clock, random, initialMs, maxMs }),
    backlog: new Backlog(parts),
    size: new BatchSize(settings.batchBytes),
    rate: new DeliveryRate(clock),
    log: new ForwardLog(parts),
    cancelled,
  };
}
