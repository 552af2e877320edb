import { crc32 } from "../../src/adapters/disk/directory-disk.ts";
import type { LogLease } from "../../src/application/log/lease-spans.ts";
import { recoverLog, type Recovery } from "../../src/application/log/recover-log.ts";
import { assert } from "../../src/domain/assert.ts";
import type { SpanAmount } from "../../src/domain/ledger.ts";
import { NO_FAULTS, type SimulatedDisk } from "../support/disk/simulated-disk.ts";
import type { ShownSpan } from "./log-model.ts";
import { LogWorkload } from "./log-workload.ts";
import { numberedSpanBytes } from "./numbered-spans.ts";
import { openBareLog, RingedLog, type SimulatedLog } from "./ringed-log.ts";
import { shownIn, SimulatedWorld, type Tally, turn } from "./simulated-world.ts";

const EVERYTHING = { spans: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/**
 * Runs one log through many lives. Each life begins with a recovery, which is checked against the
 * model, continues with random work while the disk completes its operations in any order, and ends
 * with a power cut, a kill or a stop at a random step.
 */
export class LogSimulation {
  // Fixed at construction.
  private readonly world: SimulatedWorld;

  // Moved by each life.
  /** Files that a recovery has synced to stable storage and that were not written since. */
  private coldNames: string[] = [];
  private step = "start";

  constructor(seed: number, tally: Tally) {
    this.world = new SimulatedWorld(seed, tally);
  }

  /** Returns the current step, for messages. */
  get where(): string {
    return `${this.step}, ${JSON.stringify(this.world.settings)}, ring of ${this.world.ringSpans}`;
  }

  async live(): Promise<void> {
    const log = await this.open();
    const workload = new LogWorkload(this.world, log);
    await this.work(log, workload);
    await this.end(log, workload);
    this.world.assertNoProblem();
  }

  /** Recovers, possibly several times, because the power may fail in the middle. */
  private async open(): Promise<SimulatedLog> {
    this.step = "recovery";
    for (;;) {
      const first = this.world.random.chance(0.5) ? await this.recoverAlone() : undefined;
      const log = await this.openOnce();
      this.world.assertNoProblem();
      if (log === undefined) continue;
      if (first !== undefined) assertSame(first, log.recovery);
      await this.verify(log);
      return log;
    }
  }

  /** Runs a recovery that changes nothing, to compare it with the next one. */
  private async recoverAlone(): Promise<Recovery> {
    const { disk } = this.world;
    disk.isEager = true;
    const before = imageOf(disk);
    const { recovery } = await recoverLog(this.world.parts());
    assert(imageOf(disk) === before, "a recovery changes no file");
    return recovery;
  }

  private async openOnce(): Promise<SimulatedLog | undefined> {
    const { world } = this;
    world.disk.isEager = world.random.chance(0.7);
    world.isOpening = true;
    const opened: SimulatedLog[] = [];
    void openLog(world).then((log) => opened.push(log));
    for (await turn(); opened.length === 0; await turn()) {
      if (world.random.chance(0.02)) {
        world.wasInterrupted = true;
        this.crash();
        return undefined;
      }
      world.disk.complete();
    }
    world.isOpening = false;
    return opened[0];
  }

  /**
   * Checks that the log has all the spans it must have and no others, and that its counters add up.
   */
  private async verify(log: SimulatedLog): Promise<void> {
    const { world } = this;
    this.step = "verification";
    world.disk.isEager = true;
    await turn();
    const shown = await readAll(log);
    const isQuiet = mustBeQuiet(world);
    const { isPowerCut, hadFaults } = world;
    world.hasPhantoms = !isPowerCut && (world.hasPhantoms || hadFaults);
    const missing = world.model.recover(shown, { isPowerCut, hasPhantoms: world.hasPhantoms });
    assertOnlyFlipsLose(world, missing, log.recovery);
    if (isQuiet) assertNoFalseAlarm(log.recovery, world.failures > 0);
    if (log.stats().isWritable) world.model.forgetAbsent();
    assertBalance(log, shown);
    world.assertWithinBounds(log.stats().disk.usedBytes);
    world.flips = world.damagedSpans = 0;
    world.isPowerCut = world.hadFaults = world.wasInterrupted = false;
    const isOpen = log.stats().isWritable;
    this.coldNames = isOpen ? world.disk.fileNames().slice(0, -1) : [];
  }

  private async work(log: SimulatedLog, workload: LogWorkload): Promise<void> {
    const { random, disk } = this.world;
    disk.isEager = false;
    const steps = random.between(1, 40);
    // A full log has seen everything and takes long to read.
    if (random.chance(0.3)) workload.clear();
    for (let step = 0; step < steps; step += 1) {
      this.step = `step ${step}`;
      await workload.doSomething();
      await turn();
      this.world.assertNoProblem();
      if (disk.pendingOperations === 0) this.world.assertWithinBounds(log.stats().disk.usedBytes);
    }
  }

  private async end(log: SimulatedLog, workload: LogWorkload): Promise<void> {
    const { random, settings } = this.world;
    this.step = "end";
    if (random.chance(0.03)) return await this.stop(log, workload);
    this.crash();
    if (settings.durability === "disk" && random.chance(0.05)) this.flipBit();
  }

  private crash(): void {
    const { disk, random, tally } = this.world;
    const isPowerCut = random.chance(0.7);
    if (isPowerCut) disk.cutPower();
    else disk.kill();
    disk.faults = NO_FAULTS;
    this.world.isPowerCut ||= isPowerCut;
    tally[isPowerCut ? "cuts" : "kills"] += 1;
  }

  /** Stops cleanly: acknowledged spans are safe, and settled spans stay settled. */
  private async stop(log: SimulatedLog, workload: LogWorkload): Promise<void> {
    const { disk, model, tally } = this.world;
    const hadFaults = disk.faults !== NO_FAULTS || log.stats().failure !== undefined;
    await workload.completeAll();
    disk.isEager = true;
    const closing = log.close().then(
      () => true,
      () => false,
    );
    if ((await closing) && !hadFaults) model.closed();
    this.crash();
    tally.stops += 1;
  }

  private flipBit(): void {
    const { disk, random, tally } = this.world;
    const names = this.coldNames.filter((name) => disk.fileNames().includes(name));
    const file = names.length === 0 ? undefined : disk.file(random.pick(names));
    if (file === undefined || file.length === 0) return;
    file.flipBit(random.between(0, file.length - 1), random.between(0, 7));
    this.world.hasEverFlipped = true;
    this.world.flips += 1;
    tally.flips += 1;
  }
}

/** Opens a log, with or without a ring that is smaller. */
async function openLog(world: SimulatedWorld): Promise<SimulatedLog> {
  const { ringSpans, model } = world;
  if (ringSpans === 0) return await openBareLog(world.parts());
  const memoryOnly = (): SpanAmount => {
    const numbers = model.memoryOnly().map(({ number }) => number);
    return { spans: numbers.length, bytes: bytesOf(numbers) };
  };
  const evicted = (memoryFirst: number): void => model.leaveMemory(memoryFirst);
  return await RingedLog.open(world.parts(), ringSpans, { evicted, memoryOnly });
}

/** Reads all spans in the order of leases: with a ring, it may take several. */
async function readAll(log: SimulatedLog): Promise<ShownSpan[]> {
  const leases: LogLease[] = [];
  for (let lease = await log.lease(EVERYTHING); lease !== undefined;) {
    leases.push(lease);
    lease = await log.lease(EVERYTHING);
  }
  const shown = leases.flatMap(shownIn);
  for (const lease of leases) log.settle(lease, "returned");
  return shown;
}

/** Reports whether no span can be missing, so that a recovery has nothing to report. */
function mustBeQuiet(world: SimulatedWorld): boolean {
  const isSynced = world.settings.durability === "disk" || !world.isPowerCut;
  const isSound = !world.hasEverFlipped && !world.hadFaults && !world.hasPhantoms;
  return isSynced && isSound && world.model.unsafe().length === 0;
}

/** Checks that a flipped bit costs one request and is reported. */
function assertOnlyFlipsLose(
  world: SimulatedWorld,
  missing: ReadonlyMap<number, readonly number[]>,
  { lostSpans }: Recovery,
): void {
  const spans = [...missing.values()].flat();
  assert(missing.size <= world.flips, `${spans.length} spans lost: ${spans}`);
  // An interrupted start may have found the damage first, without being able to report it.
  const isReported = world.wasInterrupted || spans.length <= lostSpans + world.damagedSpans;
  assert(isReported, `${spans.length} spans lost, ${lostSpans} reported`);
  world.tally.lost += spans.length;
}

function assertBalance(log: SimulatedLog, shown: readonly ShownSpan[]): void {
  const { spans, bytes } = log.stats();
  const shownBytes = bytesOf(shown.map(({ number }) => number));
  assert(spans.buffered === shown.length, `${spans.buffered} buffered, ${shown.length} shown`);
  assert(bytes.buffered === shownBytes, `${bytes.buffered} bytes buffered, not ${shownBytes}`);
  assert(spans.received === log.recovery.restored.spans, "restored spans are received");
}

function bytesOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + numberedSpanBytes(number), 0);
}

function assertSame(first: Recovery, second: Recovery): void {
  const [one, other] = [JSON.stringify(first), JSON.stringify(second)];
  assert(one === other, `recovered ${one}, and then ${other}`);
}

/**
 * Checks for false alarms. Damage from a failed sync stays in its file and is not reported again.
 */
function assertNoFalseAlarm(recovery: Recovery, hasEverFailed: boolean): void {
  const { damage, lostSpans, missingSegments } = recovery;
  const alarm = JSON.stringify({ damage, lostSpans, missingSegments });
  const hasNoNews = lostSpans === 0 && missingSegments.length === 0;
  const isQuiet = hasNoNews && (hasEverFailed || damage.length === 0);
  assert(isQuiet, `nothing was damaged, and the log says ${alarm}`);
}

function imageOf(disk: SimulatedDisk): string {
  return disk
    .fileNames()
    .map((name) => {
      const bytes = new Uint8Array(disk.file(name).length);
      disk.file(name).read(0, bytes);
      return `${name} ${bytes.length} ${crc32(bytes, 0)}`;
    })
    .join("\n");
}
