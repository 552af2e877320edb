import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ReloadableSink } from "../../ports/span-sink.ts";
import type { Arrivals } from "../arrivals.ts";
import { stopWithin } from "../life-cycle.ts";
import type { ObservabilityBuffer } from "../observability-buffer.ts";
import type { Lease } from "../ring-lease.ts";
import { Backlog, type BacklogParts } from "./backlog.ts";
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

export type ForwardedBuffer = Pick<
  ObservabilityBuffer,
  "lease" | "settle" | "range" | "usedBytes" | "oldestUnixMs"
>;

export interface ForwarderParts {
  readonly buffer: ForwardedBuffer;
  /** Of the buffer. */
  readonly capacity: { readonly spans: number; readonly bytes: number };
  readonly arrivals: Pick<Arrivals, "onNext">;
  readonly sink: ReloadableSink;
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

  /** Nothing arrives any more: what is there is sent at once, as far as there is time. */
  drain(graceMs: number): void {
    this.notes.backlog.stop();
    this.notes.gate.hurry(graceMs);
  }

  /** Reads credentials and certificates again, and ends a pause: they may have been its reason. */
  async reload(): Promise<boolean> {
    const isInUse = await this.parts.sink.reload();
    this.notes.gate.endPause();
    return isInUse;
  }

  /** Sends what is there still, within the time given; what is in flight then is given back. */
  async stop(graceMs: number): Promise<void> {
    this.drain(graceMs);
    await stopWithin(graceMs, { gently: () => this.running, byForce: () => this.giveUp() });
    await within(LAST_MS, () => this.parts.sink.close());
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
    try {
      return await this.passWhenDue();
    } catch (error) {
      return await this.afterFault(error);
    }
  }

  /** A fault of ours ends nothing: all that is buffered would stay where it is. */
  private async afterFault(error: unknown): Promise<Pass | undefined> {
    const { parts, notes } = this;
    parts.logger.error("unexpected_error", { error });
    await parts.clock.sleep(parts.settings.retryMaxMs, notes.cancelled);
    return notes.cancelled.aborted ? undefined : await this.nextPass();
  }

  private async passWhenDue(): Promise<Pass | undefined> {
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
    try {
      this.sendLease(pass, leaseNext(this.parts, this.notes));
    } catch (error) {
      this.failed(pass)(error);
    }
  }

  private sendLease(pass: Pass, lease: Lease | undefined): void {
    if (lease === undefined) this.notes.gate.gaveUp(pass);
    else void this.send(lease, pass);
  }

  private async send(lease: Lease, pass: Pass): Promise<void> {
    const { buffer, sink } = this.parts;
    const { cancelled } = this.notes;
    const delivery = { buffer, sink, watcher: notesOf(this.notes, pass), cancelled };
    await deliver(delivery, lease).catch(this.failed(pass));
    this.ended(lease, pass);
  }

  /** A fault of ours: it is told, and what comes next is slowed down. */
  private failed(pass: Pass): (error: unknown) => void {
    return (error) => {
      this.parts.logger.error("unexpected_error", { error });
      this.notes.gate.failed(pass);
    };
  }

  private ended(lease: Lease, pass: Pass): void {
    this.notes.figures.inFlightBatches -= 1;
    this.notes.gate.gaveUp(pass);
    this.notes.backlog.settled(lease);
    this.slotFree.resolve();
    this.slotFree = Promise.withResolvers();
  }

  /** A sink that does not even give up, on a disk that hangs say, keeps nobody from stopping. */
  private async giveUp(): Promise<void> {
    this.cancelling.abort();
    await within(LAST_MS, () => this.running);
  }
}

/** For what should end at once. */
const LAST_MS = 1_000;

async function within(limitMs: number, gently: () => Promise<void>): Promise<void> {
  await stopWithin(limitMs, { gently, byForce: async () => {} });
}

/** The next batch. Undefined when readers have taken all that waited. */
function leaseNext(
  { buffer, settings }: ForwarderParts,
  { figures, backlog, size }: DeliveryNotes,
): Lease | undefined {
  const { next } = buffer.range();
  const lease = buffer.lease({ spans: settings.batchSpans, bytes: size.bytes });
  if (lease === undefined) {
    backlog.drained(next);
    return undefined;
  }
  figures.inFlightBatches += 1;
  figures.inFlightSpans += lease.sequences.length;
  backlog.leased(lease);
  return lease;
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

function notesFor(parts: ForwarderParts, cancelled: AbortSignal): DeliveryNotes {
  const { settings, clock, random } = parts;
  const { retryInitialMs: initialMs, retryMaxMs: maxMs } = settings;
  return {
    figures: noForwardFigures(),
    gate: new UpstreamGate({ clock, random, initialMs, maxMs }),
    backlog: new Backlog({ ...parts, maxDelayMs: settings.maxDelayMs, full: fullBatch(parts) }),
    size: new BatchSize(settings.batchBytes),
    rate: new DeliveryRate(clock),
    log: new ForwardLog(parts),
    cancelled,
  };
}
