import { crc32 } from "../../../src/adapters/disk/directory-disk.ts";
import type {
  AppendOutcome,
  LogParts,
  LogRequest,
  LogSettings,
  LogWatcher,
} from "../../../src/application/log/log-state.ts";
import { SpanLog } from "../../../src/application/log/span-log.ts";
import { numberedRequest, numberedSpanBytes, numbersIn } from "../../simulation/numbered-spans.ts";
import { HandMovedClock } from "../fakes/hand-moved-clock.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

export const RUN_ID = "00112233445566778899aabbccddeeff";

const SETTINGS: LogSettings = {
  durability: "disk",
  maxDiskBytes: 1_000_000,
  segmentBytes: 100_000,
  overflowPolicy: "drop_oldest",
  diskFailure: "refuse",
  maxQueuedBytes: 1_000_000,
};

/** The events of a log, in order. */
export type LogEvents = { readonly [Event in keyof LogWatcher]: Parameters<LogWatcher[Event]>[] };

export function recordingWatcher(): { watcher: LogWatcher; events: LogEvents } {
  const events: LogEvents = {
    diskFailed: [],
    diskRecovered: [],
    syncFailed: [],
    evicted: [],
    damaged: [],
  };
  const watcher: LogWatcher = {
    diskFailed: (failure) => void events.diskFailed.push([failure]),
    diskRecovered: (recovery) => void events.diskRecovered.push([recovery]),
    syncFailed: (failure) => void events.syncFailed.push([failure]),
    evicted: (segment) => void events.evicted.push([segment]),
    damaged: (damage) => void events.damaged.push([damage]),
  };
  return { watcher, events };
}

/** A simulated disk, and the other parts that a log needs. */
export class LogBench {
  // Fixed at construction.
  readonly disk: SimulatedDisk;
  readonly clock = new HandMovedClock();
  readonly events: LogEvents;
  readonly parts: LogParts;

  constructor(settings: Partial<LogSettings> = {}, disk = new SimulatedDisk(new SeededRandom(7))) {
    const { watcher, events } = recordingWatcher();
    this.disk = disk;
    this.events = events;
    this.parts = {
      disk,
      watcher,
      clock: this.clock,
      checksum: crc32,
      unixMs: () => 1_700_000_000_000,
      random: randomFrom(11),
      runId: RUN_ID,
      settings: { ...SETTINGS, ...settings },
    };
  }

  open(): Promise<SpanLog> {
    return SpanLog.open(this.parts);
  }

  /** Completes all operations except those whose name begins with this. */
  async finishAllBut(kind: string): Promise<void> {
    for (await turn(); this.disk.completeOther(kind); await turn());
  }

  /** Completes operations in the order in which they began, until none is left. */
  async finish(): Promise<void> {
    for (await turn(); this.disk.pendingOperations > 0; await turn()) this.disk.completeOldest();
  }
}

function randomFrom(seed: number): () => number {
  const random = new SeededRandom(seed);
  return () => random.fraction();
}

/** Returns a request of numbered spans. */
export function requestFor(first: number, spanCount: number): LogRequest {
  let spanBytes = 0;
  for (let number = first; number < first + spanCount; number += 1) {
    spanBytes += numberedSpanBytes(number);
  }
  return { bytes: numberedRequest(first, spanCount), spanCount, spanBytes, unixMs: 42 };
}

export async function append(
  log: SpanLog,
  first: number,
  spanCount: number,
): Promise<AppendOutcome> {
  return await log.append(requestFor(first, spanCount));
}

const EVERYTHING = { spans: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** Returns the numbers of all free spans, oldest first; they stay in the log. */
export async function storedNumbers(log: SpanLog): Promise<number[]> {
  const lease = await log.lease(EVERYTHING);
  if (lease === undefined) return [];
  log.settle(lease, "returned");
  return numbersIn(lease.request);
}

/** Returns the operations that began from an index on, without the names of files. */
export function kindsOf({ disk }: LogBench, from: number): string[] {
  return disk.begun.slice(from).map((operation) => operation.replace(/spans-.*/, "segment"));
}

export function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** Resolves when everything that does not need the disk has run. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
