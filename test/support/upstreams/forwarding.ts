import { Forwarder, type ForwardSettings } from "../../../src/application/forwarding/forwarder.ts";
import type { Ledger } from "../../../src/domain/ledger.ts";
import type { ForwardedBuffer } from "../../../src/ports/trace-buffer.ts";
import { type FakeAnswer, FakeSink } from "../fakes/fake-sink.ts";
import { HandMovedSleep } from "../fakes/hand-moved-sleep.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";
import { nextTurn, type SearchedRing, searchedRing } from "../running/searched-ring.ts";

export interface Forwarding extends SearchedRing {
  readonly forwarder: Forwarder;
  readonly sink: FakeSink;
  readonly clock: HandMovedSleep;
  readonly logger: RecordingLogger;
}

export interface ForwardingSettings extends Partial<ForwardSettings> {
  readonly capacity?: { readonly spans: number; readonly bytes: number };
  readonly answer?: FakeAnswer;
  /** Replaces the ring, so that a test can observe or break it. */
  readonly buffer?: (ring: SearchedRing["buffer"]) => ForwardedBuffer;
}

/**
 * Returns a ring, its forwarder (not started), and an upstream with the responses that the test
 * chooses.
 */
export function forwarding({
  capacity = { spans: 10_000, bytes: 1 << 20 },
  answer,
  buffer,
  ...some
}: ForwardingSettings): Forwarding {
  const ring = searchedRing(capacity);
  const [sink, clock, logger] = [new FakeSink(answer), new HandMovedSleep(), new RecordingLogger()];
  const forwarder = new Forwarder({
    buffer: buffer?.(ring.buffer) ?? ring.buffer,
    capacity,
    arrivals: ring.arrivals,
    sink,
    settings: {
      batchSpans: 10,
      batchBytes: 1 << 20,
      maxDelayMs: 200,
      concurrency: 1,
      retryInitialMs: 100,
      retryMaxMs: 1_000,
      ...some,
    },
    clock,
    unixMs: () => 61_000,
    random: () => 0.5,
    logger,
  });
  return { ...ring, forwarder, sink, clock, logger };
}

/** Resolves when everything started is waiting for outside events. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
}

type Books = Pick<Ledger, "accepted" | "buffered" | "delivered" | "evicted" | "undeliverable">;

export function ledgerOfRun({ buffer }: Forwarding): Books {
  const { accepted, buffered, delivered, evicted, undeliverable } = buffer.stats().spans;
  return { accepted, buffered, delivered, evicted, undeliverable };
}
