import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { crc32, DirectoryDisk } from "../../../src/adapters/disk/directory-disk.ts";
import type { LogParts } from "../../../src/application/log/log-state.ts";
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

async function openLog(path: string): Promise<OpenLog> {
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
      durability: "disk",
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

/** Returns how long each request waited, with one sent per millisecond whatever happens. */
export async function acknowledgementMs(
  folder: string,
  shape: RequestShape,
  requests: number,
): Promise<number[]> {
  const path = mkdtempSync(join(folder, "log-"));
  const opened = await openLog(path);
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
