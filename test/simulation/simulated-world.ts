import { crc32 } from "../../src/adapters/disk/directory-disk.ts";
import type { LogLease } from "../../src/application/log/lease-spans.ts";
import type { LogParts, LogSettings } from "../../src/application/log/log-state.ts";
import { assert } from "../../src/domain/assert.ts";
import { HandMovedClock } from "../support/fakes/hand-moved-clock.ts";
import { SeededRandom } from "../support/disk/seeded-random.ts";
import { SimulatedDisk } from "../support/disk/simulated-disk.ts";
import { LogModel, type ShownSpan } from "./log-model.ts";
import { numberedSpanBytes, numbersIn } from "./numbered-spans.ts";

/** Counts the events of a run, to check that it has covered all of them. */
export interface Tally {
  cuts: number;
  kills: number;
  stops: number;
  acknowledged: number;
  /** Requests that were acknowledged without the disk. */
  memoryOnly: number;
  failed: number;
  refused: number;
  evicted: number;
  flips: number;
  lost: number;
}

const RUN_ID = "00112233445566778899aabbccddeeff";

/** The disk, the clock and the model around a log, and their state. */
export class SimulatedWorld {
  // Fixed at construction.
  readonly random: SeededRandom;
  readonly disk: SimulatedDisk;
  readonly clock = new HandMovedClock();
  readonly model = new LogModel();
  readonly settings: LogSettings;
  /** Number of spans in memory; 0 for a log without a ring. */
  readonly ringSpans: number;
  readonly tally: Tally;

  // Moved by each life: the state of the current or next recovery.
  isOpening = false;
  /** Whether the power has failed since the end of the last recovery. */
  isPowerCut = false;
  /** Whether the power has failed during a recovery. */
  wasInterrupted = false;
  /** Whether the disk had faults since the last recovery. */
  hadFaults = false;
  /** Whether the page cache may show data that a failed sync has lost; a power cut reveals it. */
  hasPhantoms = false;
  /** Bits flipped since the last recovery. */
  flips = 0;
  damagedSpans = 0;

  // Moved by events.
  /** Number of failures of the disk. */
  failures = 0;
  hasEverFlipped = false;
  private problem: unknown;

  constructor(seed: number, tally: Tally) {
    this.random = new SeededRandom(seed);
    this.disk = new SimulatedDisk(this.random);
    this.tally = tally;
    const settings = randomSettings(this.random);
    this.ringSpans = this.random.pick([0, 0, 3, 12, 60]);
    this.settings = { ...settings, diskFailure: "refuse" };
    if (seed % 3 !== 0) return;
    this.settings = inMemory(settings);
    this.ringSpans = Math.max(3, this.ringSpans);
  }

  parts(): LogParts {
    const { disk, clock, random, settings } = this;
    return {
      disk,
      clock,
      settings,
      checksum: crc32,
      runId: RUN_ID,
      unixMs: () => 1_000,
      random: () => random.fraction(),
      watcher: {
        diskFailed: ({ reason }) => this.noteFailure(reason),
        diskRecovered: () => {},
        syncFailed: ({ reason }) => this.noteFailure(reason),
        evicted: ({ spans, ...range }) => this.noteEviction(spans, range),
        damaged: ({ lostSpans }) => void (this.damagedSpans += lostSpans),
      },
    };
  }

  /**
   * Stores the exceptions of a check for later, because the log would mistake them for a failure of
   * the disk.
   */
  note(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.noteProblem(error);
    }
  }

  noteProblem(problem: unknown): void {
    this.problem ??= problem;
  }

  assertNoProblem(): void {
    if (this.problem !== undefined) throw this.problem;
  }

  /** Checks that the size of the files is what the log reports, and within its limit. */
  assertWithinBounds(usedBytes: number): void {
    const names = this.disk.fileNames();
    const onDisk = names.reduce((sum, name) => sum + this.disk.file(name).length, 0);
    const { maxDiskBytes } = this.settings;
    assert(onDisk <= maxDiskBytes, `${onDisk} bytes on the disk, not ${maxDiskBytes}`);
    assert(onDisk <= usedBytes, `${onDisk} bytes on the disk, ${usedBytes} known`);
  }

  private noteFailure(reason: string): void {
    this.failures += 1;
    // Spans of a failed sync are not safe after the next one either.
    if (!reason.includes("write")) for (const span of this.model.unsafe()) span.isNew = false;
    this.note(() => assert(this.hadFaults, `nothing is wrong with the disk: ${reason}`));
  }

  /**
   * Notes an eviction. While a log is being opened, the model still has spans that the crash may
   * have lost.
   */
  private noteEviction(spans: number, range: { first: number; end: number }): void {
    const expected = this.model.evict(range, this.isOpening);
    this.tally.evicted += spans;
    const isRight = this.isOpening || spans === expected;
    this.note(() => assert(isRight, `${spans} spans evicted, not ${expected}`));
  }
}

/** Returns settings with which spans may be in memory only; the configuration permits no others. */
function inMemory(settings: RandomSettings): LogSettings {
  const durability = settings.durability === "stop" ? "disk" : settings.durability;
  return { ...settings, durability, overflowPolicy: "drop_oldest", diskFailure: "memory" };
}

type RandomSettings = Omit<LogSettings, "diskFailure">;

/** Returns small settings, so that everything happens within a few dozen steps. */
function randomSettings(random: SeededRandom): RandomSettings {
  const segmentBytes = random.pick([4_096, 4_096, 8_192, 16_384]);
  return {
    durability: random.pick(["disk", "disk", "disk", "process", "stop"] as const),
    segmentBytes,
    maxDiskBytes: segmentBytes * random.pick([8, 8, 16]) + random.between(0, 5_000),
    overflowPolicy: random.pick(["drop_oldest", "refuse"] as const),
    maxQueuedBytes: random.pick([10_000, 1_000_000]),
  };
}

/** Returns the spans of a lease, each of which must be as it was sent. */
export function shownIn({ request, sequences, lengthBytes }: LogLease): ShownSpan[] {
  const numbers = numbersIn(request);
  assert(numbers.length === sequences.length, "a lease has a sequence for each span");
  return numbers.map((number, index) => {
    assert(lengthBytes[index] === numberedSpanBytes(number), "a lease knows its spans' lengths");
    return { number, sequence: sequences[index]! };
  });
}

/** Resolves when everything that does not need the disk has run. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
