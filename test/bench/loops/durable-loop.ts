import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { crc32, DirectoryDisk } from "../../../src/adapters/disk/directory-disk.ts";
import type { Durability, LogParts } from "../../../src/application/log/log-state.ts";
import { segmentBytesFor } from "../../../src/application/log/retention.ts";
import { SpanLog } from "../../../src/application/log/span-log.ts";
import { assert } from "../../../src/domain/assert.ts";
import type { RequestShape } from "../request-corpus.ts";

const GIB = 2 ** 30;
const QUIET = (): void => {};

interface OpenLog {
  readonly log: SpanLog;
  readonly disk: DirectoryDisk;
}

async function openLog(path: string, durability: Durability): Promise<OpenLog> {
  const disk = await DirectoryDisk.open(path);
  const maxDiskBytes = 1.5 * GIB;
  const parts: LogParts = {
    disk,
    clock: SYSTEM_CLOCK,
    checksum: crc32,
    unixMs: Date.now,
    random: Math.random,
    runId: "00".repeat(16),
    settings: {
      durability,
      maxDiskBytes,
      segmentBytes: segmentBytesFor(maxDiskBytes),
      overflowPolicy: "drop_oldest",
      diskFailure: "refuse",
      maxQueuedBytes: GIB,
    },
    watcher: {
      diskFailed: ({ reason }) => assert(false, reason),
      diskRecovered: QUIET,
      syncFailed: ({ reason }) => assert(false, reason),
      evicted: QUIET,
      damaged: QUIET,
    },
  };
  return { disk, log: await SpanLog.open(parts) };
}

async function closeLog({ log, disk }: OpenLog): Promise<void> {
  await log.close();
  await disk.close();
}

/** Appends a request like a sender that waits for the response. */
async function append(log: SpanLog, { bytes, spanCount }: RequestShape): Promise<void> {
  const request = { bytes, spanCount, spanBytes: bytes.length - 100, unixMs: Date.now() };
  const { outcome } = await log.append(request);
  assert(outcome === "logged", `a request is logged, not ${outcome}`);
}

/**
 * Returns the spans per second that this many senders get acknowledged, each waiting for its
 * response.
 */
export async function spansPerSecond(
  folder: string,
  shape: RequestShape,
  { durability, senders, roundMs }: { durability: Durability; senders: number; roundMs: number },
): Promise<number> {
  const path = mkdtempSync(join(folder, "log-"));
  const opened = await openLog(path, durability);
  const beganMs = performance.now();
  let requests = 0;
  const send = async (): Promise<void> => {
    for (; performance.now() - beganMs < roundMs; requests += 1) await append(opened.log, shape);
  };
  await Promise.all(Array.from({ length: senders }, send));
  const seconds = (performance.now() - beganMs) / 1000;
  await closeLog(opened);
  rmSync(path, { recursive: true });
  return (requests * shape.spanCount) / seconds;
}

/** Returns how long each request waited, with one sent per millisecond whatever happens. */
export async function acknowledgementMs(
  folder: string,
  shape: RequestShape,
  requests: number,
): Promise<number[]> {
  const path = mkdtempSync(join(folder, "log-"));
  const opened = await openLog(path, "disk");
  const waited: Promise<number>[] = [];
  const send = async (dueMs: number): Promise<number> => {
    await append(opened.log, shape);
    return performance.now() - dueMs;
  };
  const beganMs = performance.now();
  while (waited.length < requests) {
    const dueMs = beganMs + waited.length;
    if (performance.now() >= dueMs) waited.push(send(dueMs));
    else await Bun.sleep(1);
  }
  const times = await Promise.all(waited);
  await closeLog(opened);
  rmSync(path, { recursive: true });
  return times;
}

/** Measures the machine itself: one write and one `fdatasync` at a time. */
export async function bareSyncMs(
  folder: string,
  shape: RequestShape,
  syncs: number,
): Promise<number[]> {
  const path = join(folder, "bare");
  const file = await open(path, "ax");
  const times: number[] = [];
  for (let sync = 0; sync < syncs; sync += 1) {
    const beganMs = performance.now();
    await file.writev([shape.bytes]);
    await file.datasync();
    times.push(performance.now() - beganMs);
  }
  await file.close();
  rmSync(path);
  return times;
}

export interface Refill {
  readonly fillMs: number;
  readonly recoveryMs: number;
  readonly drainMs: number;
}

/** Fills a log to this size, closes and reopens it, and reads it to its end. */
export async function refill(folder: string, shape: RequestShape, bytes: number): Promise<Refill> {
  const path = mkdtempSync(join(folder, "log-"));
  const requests = Math.ceil(bytes / shape.bytes.length);
  const filled = await openLog(path, "process");
  const fillMs = await timed(async () => {
    for (let sent = 0; sent < requests; sent += 100) {
      const group = Array.from({ length: Math.min(100, requests - sent) });
      await Promise.all(group.map(() => append(filled.log, shape)));
    }
  });
  await closeLog(filled);
  let opened: OpenLog | undefined;
  const recoveryMs = await timed(async () => void (opened = await openLog(path, "process")));
  const { log } = opened!;
  assert(log.stats().spans.buffered === requests * shape.spanCount, "every span is back");
  const drainMs = await timed(() => drain(log));
  await closeLog(opened!);
  rmSync(path, { recursive: true });
  return { fillMs, recoveryMs, drainMs };
}

async function drain(log: SpanLog): Promise<void> {
  for (;;) {
    const lease = await log.lease({ spans: 8192, bytes: 4 * 2 ** 20 });
    if (lease === undefined) return;
    log.settle(lease, "delivered");
  }
}

async function timed(run: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await run();
  return performance.now() - beganMs;
}
