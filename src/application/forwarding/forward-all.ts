import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { SendOutcome, SpanSink } from "../../ports/span-sink.ts";
import { deliver, offer } from "./delivery.ts";
import { type DeliveryNotes, noteFailure, noteSuccess, notesOf } from "./delivery-notes.ts";
import { type DeliveryParts, type Evidence, outcomeOf } from "./delivery-state.ts";
import { failureOf } from "./send-failure.ts";
import type { Pass } from "./upstream-gate.ts";
import type { ForwardedBuffer, Lease, MaybeLater } from "../../ports/trace-buffer.ts";

export interface ForwardSettings {
  readonly batchSpans: number;
  readonly batchBytes: number;
  /** How long an incomplete batch waits for more spans. */
  readonly maxDelayMs: number;
  /** Maximum number of concurrent batches; with one, spans are delivered in order of arrival. */
  readonly concurrency: number;
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
  /** Whether to send an empty request at the start, so that a failure shows before spans arrive. */
  readonly asksAtStart?: boolean;
}

export interface Forwarding {
  readonly buffer: ForwardedBuffer;
  readonly sink: Pick<SpanSink, "send">;
  readonly probe: Probe;
  readonly evidence: Evidence;
  readonly settings: ForwardSettings;
  readonly clock: SleepingClock;
  readonly logger: Logger;
  readonly notes: DeliveryNotes;
}

/**
 * Limits the batch after a refusal and a successful empty request: until these spans are accepted,
 * the upstream may refuse all spans.
 */
const MAX_TRIAL_SPANS = 64;

/**
 * Sends batches until none is left and none will come.
 *
 *   backlog ──▶ slot ──▶ gate ──▶ lease ──▶ deliver ──▶ delivered, returned, or undeliverable
 *   a batch     one of   open,    the       whole, or
 *   is due      a few    or time  oldest    in parts
 *               is free  to try
 *
 * An append waits for the forwarder only at the lock of the ring, once for each lease and
 * settlement.
 *
 * Invariant: at most `concurrency` batches are in memory in addition to the ring, and
 * `figures.inFlightSpans` counts their spans.
 */
export async function forwardAll(forwarding: Forwarding): Promise<void> {
  const sending = new Set<Promise<void>>();
  const over = new AbortController();
  const asking = forwarding.settings.asksAtStart === true && askAtStart(forwarding, over.signal);
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- batches are leased one at a time
    const pass = await nextPass(forwarding, sending);
    if (pass === undefined) break;
    const ended = serve(forwarding, pass).finally(() => sending.delete(ended));
    sending.add(ended);
  }
  await Promise.all(sending);
  over.abort();
  await asking;
}

/** Sends empty requests, with the pauses of the gate between them, until one is accepted. */
async function askAtStart(forwarding: Forwarding, over: AbortSignal): Promise<void> {
  const { notes } = forwarding;
  const { gate } = notes;
  for (;;) {
    // oxlint-disable no-await-in-loop -- each request waits for the outcome of the one before
    const pass = await gate.pass(over);
    if (pass === undefined) return;
    if (await isLetIn(forwarding, pass)) {
      noteSuccess(notes, pass);
      // Batches that wait for the same pause may follow at once.
      return gate.endPause();
    }
    gate.gaveUp(pass);
    // oxlint-enable no-await-in-loop
  }
}

/** Resolves when a batch is due and may be sent; to undefined if there will be none. */
async function nextPass(
  forwarding: Forwarding,
  sending: ReadonlySet<Promise<void>>,
): Promise<Pass | undefined> {
  const { settings, notes, clock, logger } = forwarding;
  const { backlog, figures, gate, cancelled } = notes;
  // oxlint-disable no-await-in-loop -- each step waits for the one before
  while (!cancelled.aborted) {
    try {
      if ((await backlog.next(() => figures.inFlightSpans)) === "over") return undefined;
      while (sending.size >= settings.concurrency) await Promise.race(sending);
      return await gate.pass(cancelled);
    } catch (error) {
      // An internal error must not end forwarding, because the buffered spans would stay where they
      // are.
      logger.error("unexpected_error", { error });
      await clock.sleep(settings.retryMaxMs, cancelled);
    }
  }
  // oxlint-enable no-await-in-loop
  return undefined;
}

/**
 * Delivers one batch. Never rejects: an internal error is logged, and the next batch has to wait.
 */
async function serve(forwarding: Forwarding, pass: Pass): Promise<void> {
  const { gate } = forwarding.notes;
  try {
    if (!pass.isProbe || (await isLetIn(forwarding, pass))) await sendBatch(forwarding, pass);
  } catch (error) {
    forwarding.logger.error("unexpected_error", { error });
    gate.failed(pass);
  }
  gate.gaveUp(pass);
}

/**
 * Sends an empty request and reports whether spans may follow. Some receivers refuse only empty
 * requests, so after a refusal a few spans are sent to find out.
 */
async function isLetIn({ probe, notes }: Forwarding, pass: Pass): Promise<boolean> {
  const probed = await outcomeOf(() => probe.ask());
  if (probed.outcome === "delivered" || probed.outcome === "refused") return true;
  noteFailure(notes, pass, failureOf(probed));
  return false;
}

async function sendBatch(forwarding: Forwarding, pass: Pass): Promise<void> {
  const leasing = leaseNext(forwarding, pass);
  const lease = leasing instanceof Promise ? await leasing : leasing;
  if (lease === undefined) return;
  const { figures, backlog } = forwarding.notes;
  const { length: requestBytes } = lease.request;
  figures.inFlightBatches += 1;
  try {
    await deliver(deliveryOf(forwarding, pass), lease, pass.isProbe);
  } finally {
    figures.inFlightBatches -= 1;
    backlog.settled(requestBytes);
  }
}

function deliveryOf(forwarding: Forwarding, pass: Pass): DeliveryParts {
  const { buffer, sink, probe, evidence, notes } = forwarding;
  const { cancelled, gate } = notes;
  const watcher = notesOf(notes, pass);
  const ask = async (isLastTry = false) =>
    isLastTry || gate.isCurrent(pass) ? await probe.ask() : CLOSED_MEANWHILE;
  const witness = () => sendNewest(forwarding, parts);
  const parts = { buffer, sink, watcher, cancelled, evidence, probe: ask, witness };
  return parts;
}

/** The outcome of a probe if another batch has closed the gate. */
const CLOSED_MEANWHILE: SendOutcome = { outcome: "retry", message: "another batch has failed" };

/** Leases the next batch; returns undefined if readers have taken all waiting spans. */
function leaseNext(forwarding: Forwarding, pass: Pass): MaybeLater<Lease | undefined> {
  const { buffer, settings, notes } = forwarding;
  const { next } = buffer.range();
  const spans = pass.isProbe ? Math.min(MAX_TRIAL_SPANS, settings.batchSpans) : settings.batchSpans;
  const lease = buffer.lease({ spans, bytes: notes.size.bytes });
  const note = (leased: Lease | undefined) => noteLease(notes, leased, next);
  if (!(lease instanceof Promise)) return note(lease);
  const noted = lease.then(note);
  notes.backlog.reading(noted);
  return noted;
}

function noteLease(
  { figures, backlog }: DeliveryNotes,
  lease: Lease | undefined,
  next: number,
): Lease | undefined {
  if (lease === undefined) {
    backlog.drained(next);
    return undefined;
  }
  figures.inFlightSpans += lease.sequences.length;
  backlog.leased(lease);
  return lease;
}

/** Sends the newest span, which probably has little in common with the refused oldest ones. */
async function sendNewest(
  { buffer, notes }: Forwarding,
  parts: DeliveryParts,
): Promise<SendOutcome | undefined> {
  const lease = buffer.leaseNewest();
  if (lease === undefined) return undefined;
  const { figures, backlog } = notes;
  figures.inFlightSpans += 1;
  backlog.leasedAhead(lease);
  const { length: requestBytes } = lease.request;
  return await offer(parts, lease).finally(() => backlog.settled(requestBytes));
}

/** An `ExportTraceServiceRequest` without spans is empty. */
const EMPTY = { request: new Uint8Array(0), spanCount: 0 };

/**
 * Sends an empty request, which every OTLP receiver should accept. The answer shows whether the
 * upstream refuses the spans or their sender.
 */
export class Probe {
  // Fixed at construction.
  private readonly sink: Pick<SpanSink, "send">;
  private readonly cancelled: AbortSignal;

  // Moved by `ask`.
  private asking: Promise<SendOutcome> | undefined;

  constructor(sink: Pick<SpanSink, "send">, cancelled: AbortSignal) {
    this.sink = sink;
    this.cancelled = cancelled;
  }

  /** Concurrent calls share one request. */
  ask(): Promise<SendOutcome> {
    const ended = () => (this.asking = undefined);
    return (this.asking ??= this.sink.send(EMPTY, this.cancelled).finally(ended));
  }
}
