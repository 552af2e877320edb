import type { SleepingClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { SendOutcome, SpanSink } from "../../ports/span-sink.ts";
import { deliver, offer } from "./delivery.ts";
import { type DeliveryNotes, noteFailure, notesOf } from "./delivery-notes.ts";
import type { DeliveryParts, Evidence } from "./delivery-state.ts";
import { failureOf } from "./send-failure.ts";
import type { Pass } from "./upstream-gate.ts";
import type { ForwardedBuffer, Lease } from "../../ports/trace-buffer.ts";

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
 * After a refusal, few spans follow the empty request: until they come through, the upstream may
 * refuse all that are sent.
 */
const MAX_TRIAL_SPANS = 64;

/**
 * Sends batch after batch until none is left and none will come.
 *
 *   backlog ──▶ slot ──▶ gate ──▶ lease ──▶ deliver ──▶ delivered, returned, or undeliverable
 *   a batch     one of   open,    the       whole, or
 *   is due      a few    or time  oldest    in parts
 *               is free  to try
 *
 * Appending waits for nothing of it but the ring's lock, once for each lease and settlement.
 *
 * Invariant: beside the ring there are no more than `concurrency` batches in memory, and their
 * spans are `figures.inFlightSpans`.
 */
export async function forwardAll(forwarding: Forwarding): Promise<void> {
  const sending = new Set<Promise<void>>();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other is leased
    const pass = await nextPass(forwarding, sending);
    if (pass === undefined) break;
    const ended = serve(forwarding, pass).finally(() => sending.delete(ended));
    sending.add(ended);
  }
  await Promise.all(sending);
}

/** Resolves when a batch is due and may be sent; undefined when there will be none. */
async function nextPass(
  forwarding: Forwarding,
  sending: ReadonlySet<Promise<void>>,
): Promise<Pass | undefined> {
  const { settings, notes, clock, logger } = forwarding;
  const { backlog, figures, gate, cancelled } = notes;
  // oxlint-disable no-await-in-loop -- what is waited for comes one after the other
  while (!cancelled.aborted) {
    try {
      if ((await backlog.next(() => figures.inFlightSpans)) === "over") return undefined;
      while (sending.size >= settings.concurrency) await Promise.race(sending);
      return await gate.pass(cancelled);
    } catch (error) {
      // A fault of ours ends nothing: all that is buffered would stay where it is.
      logger.error("unexpected_error", { error });
      await clock.sleep(settings.retryMaxMs, cancelled);
    }
  }
  // oxlint-enable no-await-in-loop
  return undefined;
}

/** Never rejects: an internal error is logged, and the next batch has to wait. */
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
 * Reports whether spans may follow an empty request. Some receivers refuse empty requests only, so
 * after a refusal a few spans are sent to find out.
 */
async function isLetIn({ probe, notes }: Forwarding, pass: Pass): Promise<boolean> {
  const probed = await probe.ask();
  if (probed.outcome === "delivered" || probed.outcome === "refused") return true;
  noteFailure(notes, pass, failureOf(probed));
  return false;
}

async function sendBatch(forwarding: Forwarding, pass: Pass): Promise<void> {
  const lease = leaseNext(forwarding, pass);
  if (lease === undefined) return;
  const { figures, backlog } = forwarding.notes;
  figures.inFlightBatches += 1;
  try {
    await deliver(deliveryOf(forwarding, pass), lease, pass.isProbe);
  } finally {
    figures.inFlightBatches -= 1;
    backlog.settled(lease);
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

/** The outcome of a probe after another batch has closed the gate. */
const CLOSED_MEANWHILE: SendOutcome = { outcome: "retry", message: "another batch has failed" };

/** Leases the next batch; undefined when readers have taken all that waited. */
function leaseNext({ buffer, settings, notes }: Forwarding, pass: Pass): Lease | undefined {
  const { figures, backlog, size } = notes;
  const { next } = buffer.range();
  const spans = pass.isProbe ? Math.min(MAX_TRIAL_SPANS, settings.batchSpans) : settings.batchSpans;
  const lease = buffer.lease({ spans, bytes: size.bytes });
  if (lease === undefined) {
    backlog.drained(next);
    return undefined;
  }
  figures.inFlightSpans += lease.sequences.length;
  backlog.leased(lease);
  return lease;
}

/** Sends the newest span, which has little in common with the refused oldest ones. */
async function sendNewest(
  { buffer, notes }: Forwarding,
  parts: DeliveryParts,
): Promise<SendOutcome | undefined> {
  const lease = buffer.leaseNewest();
  if (lease === undefined) return undefined;
  const { figures, backlog } = notes;
  figures.inFlightSpans += 1;
  backlog.leasedAhead(lease);
  return await offer(parts, lease).finally(() => backlog.settled(lease));
}

/** An `ExportTraceServiceRequest` without spans has no bytes. */
const EMPTY = { request: new Uint8Array(0), spanCount: 0 };

/**
 * Sends an empty request, which every receiver of OTLP takes. The answer shows whether the upstream
 * refuses the spans or their sender.
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
