import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { crc32, DirectoryDisk } from "../../../src/adapters/disk/directory-disk.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { DurableBuffer } from "../../../src/application/log/durable-buffer.ts";
import type { LogParts } from "../../../src/application/log/log-state.ts";
import { segmentBytesFor } from "../../../src/application/log/retention.ts";
import { SpanLog } from "../../../src/application/log/span-log.ts";
import { ReceiveDurably } from "../../../src/application/receiving/receive-durably.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { releaseOwnBuffer } from "../../../src/application/ring/release-bytes.ts";
import { assert } from "../../../src/domain/assert.ts";
import type { Logger } from "../../../src/ports/logger.ts";
import type { RequestShape } from "../request-corpus.ts";

const MIB = 2 ** 20;

/** The size of the log, which the server that reads it must allow too. */
export const MAX_DISK_BYTES = 1536 * MIB;

const QUIET = (): void => {};
const SILENT: Logger = { debug: QUIET, info: QUIET, warning: QUIET, error: QUIET };

/** As by default. */
const CAPACITY = { spans: 10_000, bytes: 64 * MIB };
const BATCH = { spans: 8192, bytes: 4 * MIB };
const SENDERS = 32;

/** A receiver whose spans are on disk, without its listeners. */
interface OpenBuffer {
  readonly buffer: DurableBuffer;
  readonly receiver: ReceiveDurably;
  readonly close: () => Promise<void>;
}

async function openBuffer(path: string): Promise<OpenBuffer> {
  const disk = await DirectoryDisk.open(path);
  const ring = ObservabilityBuffer.create(CAPACITY, { codec: new ProtobufSpanCodec() });
  const { bytes: maxRequestBytes } = CAPACITY;
  const buffer = new DurableBuffer({ ring, maxRequestBytes, isWholeLog: true });
  const log = await SpanLog.open({ ...partsOf(buffer), disk });
  await buffer.attach(log);
  const receiver = new ReceiveDurably({
    buffer,
    limits: { spansPerRequest: 1_000, nestingDepth: 100 },
    logger: SILENT,
    clock: SYSTEM_CLOCK,
    log: (request) => buffer.log(request),
    unixMs: Date.now,
  });
  const close = async (): Promise<void> => {
    await log.close();
    await disk.close();
  };
  return { buffer, receiver, close };
}

function partsOf(buffer: DurableBuffer): Omit<LogParts, "disk"> {
  const sizes = { maxDiskBytes: MAX_DISK_BYTES, segmentBytes: segmentBytesFor(MAX_DISK_BYTES) };
  const policies = { overflowPolicy: "drop_oldest", diskFailure: "refuse" } as const;
  return {
    clock: SYSTEM_CLOCK,
    checksum: crc32,
    unixMs: Date.now,
    random: Math.random,
    runId: "00".repeat(16),
    settings: { durability: "process", ...sizes, ...policies, maxQueuedBytes: 32 * MIB },
    memory: buffer.memory,
    watcher: {
      diskFailed: ({ reason }) => assert(false, reason),
      diskRecovered: QUIET,
      syncFailed: ({ reason }) => assert(false, reason),
      evicted: (segment) => buffer.evict(segment),
      damaged: (damage) => buffer.damaged(damage),
    },
  };
}

async function receive({ receiver }: OpenBuffer, { bytes }: RequestShape): Promise<void> {
  const { outcome } = await receiver.receive(bytes);
  assert(outcome === "accepted", `a request is accepted, not ${outcome}`);
}

/** Fills a log to this size as fast as senders can that wait; returns the spans per second. */
export async function fillLog(path: string, shape: RequestShape, bytes: number): Promise<number> {
  const opened = await openBuffer(path);
  let left = Math.ceil(bytes / shape.bytes.length);
  const requests = left;
  const send = async (): Promise<void> => {
    for (; left > 0; await receive(opened, shape)) left -= 1;
  };
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: SENDERS }, send));
  const seconds = (performance.now() - beganMs) / 1000;
  await opened.close();
  return (requests * shape.spanCount) / seconds;
}

export interface Drain {
  readonly drainedPerSecond: number;
  readonly ingestedPerSecond: number;
}

/**
 * Leases and settles everything in a log, while spans arrive at this rate. Returns both rates, in
 * spans per second.
 */
export async function drainLog(
  path: string,
  shape: RequestShape,
  spansPerSecond: number,
): Promise<Drain> {
  const opened = await openBuffer(path);
  const total = opened.buffer.stats().spans.buffered;
  const live = { requests: 0, isOver: false };
  const beganMs = performance.now();
  const ingesting = ingest(opened, shape, { live, spansPerSecond });
  await drain(opened, total);
  const seconds = (performance.now() - beganMs) / 1000;
  const ingestedPerSecond = (live.requests * shape.spanCount) / seconds;
  live.isOver = true;
  await ingesting;
  await opened.close();
  return { drainedPerSecond: total / seconds, ingestedPerSecond };
}

async function drain({ buffer }: OpenBuffer, total: number): Promise<void> {
  for (let drained = 0; drained < total;) {
    const lease = await buffer.lease(BATCH);
    assert(lease !== undefined, "every span is leased");
    drained += lease.sequences.length;
    buffer.settle(lease, "delivered");
    releaseOwnBuffer(lease.request);
  }
}

/** Sends requests when they are due, while fewer than 64 are waiting, and counts them. */
async function ingest(
  opened: OpenBuffer,
  shape: RequestShape,
  rate: { readonly live: { requests: number; isOver: boolean }; readonly spansPerSecond: number },
): Promise<void> {
  const { live, spansPerSecond } = rate;
  const waiting = new Set<Promise<void>>();
  const beganMs = performance.now();
  for (let sent = 0; !live.isOver; await Bun.sleep(1)) {
    const dueSpans = ((performance.now() - beganMs) / 1000) * spansPerSecond;
    for (; sent < dueSpans / shape.spanCount && waiting.size < 64; sent += 1) {
      const sending = receive(opened, shape).finally(() => waiting.delete(sending));
      waiting.add(sending);
      live.requests += 1;
    }
  }
  await Promise.all(waiting);
}
