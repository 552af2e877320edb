import type { LogLease } from "../../src/application/log/lease-spans.ts";
import { assert } from "../../src/domain/assert.ts";
import { NO_FAULTS } from "../support/disk/simulated-disk.ts";
import { numberedRequest, numberedSpanBytes } from "./numbered-spans.ts";
import type { SimulatedLog } from "./ringed-log.ts";
import { shownIn, type SimulatedWorld, turn } from "./simulated-world.ts";

interface HeldLease {
  readonly lease: LogLease;
  readonly numbers: readonly number[];
  /** The spans from here on are settled. */
  end: number;
}

const SETTLEMENTS = ["delivered", "delivered", "undeliverable", "returned"] as const;

/** Performs random work on one log, and mirrors each step on the model. */
export class LogWorkload {
  // Fixed at construction.
  private readonly world: SimulatedWorld;
  private readonly log: SimulatedLog;

  // Moved by leases and settlements.
  private readonly leases: HeldLease[] = [];

  constructor(world: SimulatedWorld, log: SimulatedLog) {
    this.world = world;
    this.log = log;
  }

  async doSomething(): Promise<void> {
    const { random, disk, clock } = this.world;
    const choice = random.fraction();
    if (choice < 0.4) this.appendBurst();
    else if (choice < 0.7) disk.complete();
    else if (choice < 0.78) void this.lease();
    else if (choice < 0.88) this.settle();
    else if (choice < 0.92) await this.completeAll();
    else if (choice < 0.95) void this.sync();
    else if (choice < 0.97) clock.moveMs(random.pick([100, 1_000, 100_000]));
    else if (choice < 0.972) this.clear();
    else this.changeFaults();
  }

  clear(): void {
    const taken = this.log.clear();
    const expected = this.world.model.clear();
    assert(taken === expected, `${taken} cleared, not ${expected}`);
  }

  async completeAll(): Promise<void> {
    const { disk } = this.world;
    for (; disk.pendingOperations > 0; await turn()) disk.complete();
  }

  private appendBurst(): void {
    const burst = this.world.random.between(1, 3);
    for (let count = 0; count < burst; count += 1) {
      void this.append().catch((problem: unknown) => this.world.noteProblem(problem));
    }
  }

  private async append(): Promise<void> {
    const { random, model, settings, tally } = this.world;
    const spanCount = random.chance(0.9) ? random.between(1, 4) : 20;
    const { first } = model.send(spanCount);
    const stored = (sequence: number): void => {
      const isMemoryOnly = !this.log.isLogged(sequence);
      const isSafe = settings.durability === "disk" && !isMemoryOnly;
      this.world.note(() => {
        model.acknowledge(first, spanCount, { sequence, isSafe, isMemoryOnly });
        model.leaveMemory(this.log.memoryFirst());
      });
      tally[isMemoryOnly ? "memoryOnly" : "acknowledged"] += 1;
    };
    const bytes = numberedRequest(first, spanCount);
    const spanBytes = lengthOf(first, spanCount);
    const request = {
      bytes,
      spanCount,
      spanBytes,
      unixMs: 1,
      stored,
      sequence: this.laterSequence(),
    };
    const { outcome } = await this.log.append(request);
    if (outcome === "logged" || outcome === "memory_only") return;
    this.world.note(() => model.turnAway(first, spanCount, outcome === "failed"));
    tally[outcome === "failed" ? "failed" : "refused"] += 1;
  }

  /**
   * Returns a sequence after a gap, in few cases, and only while nothing is being written. Only a
   * stop uses it, so it is not combined with spans in memory only.
   */
  private laterSequence(): number | undefined {
    const { sequence, queuedBytes } = this.log.stats();
    if (this.world.settings.diskFailure === "memory") return undefined;
    if (queuedBytes > 0 || !this.world.random.chance(0.1)) return undefined;
    return sequence.next + this.world.random.between(0, 5);
  }

  private async lease(): Promise<void> {
    const { random, model } = this.world;
    const spans = random.between(1, 12);
    const bytes = random.chance(0.5) ? Number.POSITIVE_INFINITY : 500;
    const lease = await this.log.lease({ spans, bytes }).catch(() => undefined);
    if (lease === undefined) return;
    this.world.note(() => {
      const shown = shownIn(lease);
      model.lease(shown);
      const numbers = shown.map(({ number }) => number);
      this.leases.push({ lease, numbers, end: numbers.length });
    });
  }

  /** Settles the last spans of any lease, or all of it; the rest stays leased. */
  private settle(): void {
    const { random, model } = this.world;
    const { leases } = this;
    const held = leases[random.between(0, leases.length - 1)];
    if (held === undefined) return;
    const first = random.chance(0.6) ? 0 : random.between(0, held.end - 1);
    const settlement = random.pick(SETTLEMENTS);
    const evicted = this.log.settle(held.lease, settlement, { first, end: held.end });
    const isReturned = settlement === "returned";
    const expected = model.settle(held.numbers.slice(first, held.end), isReturned);
    assert(evicted === expected, `${evicted} evicted by a return, not ${expected}`);
    held.end = first;
    if (first === 0) leases.splice(leases.indexOf(held), 1);
  }

  /** Syncs at level `process`; afterwards, all spans acknowledged before it began are safe. */
  private async sync(): Promise<void> {
    const { world } = this;
    if (world.settings.durability !== "process") return;
    const unsafe = world.model.unsafe().filter(({ isNew, isMemoryOnly }) => isNew && !isMemoryOnly);
    const { failures } = world;
    await this.log.sync();
    if (world.failures > failures) return;
    for (const span of unsafe) span.isSafe = true;
  }

  private changeFaults(): void {
    const { random, disk } = this.world;
    const rate = (): number => (random.chance(0.5) ? 0 : random.pick([0.05, 0.3, 1]));
    this.world.hadFaults = true;
    disk.faults = NO_FAULTS;
    if (random.chance(0.6)) return;
    disk.faults = {
      failedWrites: rate(),
      failedSyncs: rate(),
      failedNames: rate(),
      failedReads: random.chance(0.2) ? 0.3 : 0,
      capacityBytes: random.chance(0.2) ? random.between(0, 60_000) : Number.POSITIVE_INFINITY,
    };
  }
}

function lengthOf(first: number, spanCount: number): number {
  let bytes = 0;
  for (let number = first; number < first + spanCount; number += 1) {
    bytes += numberedSpanBytes(number);
  }
  return bytes;
}
