import type { AppendFile, Disk, DiskFile } from "../../../src/ports/disk.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SimulatedFile } from "./simulated-file.ts";

/** The probability of each fault, from 0 to 1, per operation. */
export interface DiskFaults {
  readonly failedWrites: number;
  readonly failedSyncs: number;
  readonly failedNames: number;
  readonly failedReads: number;
  /** The capacity of the disk; beyond it, a write fails in the middle. */
  readonly capacityBytes: number;
}

/** Enough for a test; a simulation never ends. */
const MAX_BEGUN = 1_000;

export const NO_FAULTS: DiskFaults = {
  failedWrites: 0,
  failedSyncs: 0,
  failedNames: 0,
  failedReads: 0,
  capacityBytes: Number.POSITIVE_INFINITY,
};

/** A system call that has begun, and ends when `complete` or a crash decides. */
interface Operation {
  readonly kind: string;
  readonly run: () => unknown;
  /** Called if a crash interrupts it. */
  readonly interrupt: () => void;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface NameChange {
  readonly name: string;
  /** The file behind the name afterwards; undefined if it is removed. */
  readonly file: SimulatedFile | undefined;
}

/**
 * A disk that forgets. Data is unsynced in pages of 4096 bytes, and names are unsynced too. At a
 * power cut, each page survives, is lost or is torn, and each name survives or is lost. Operations
 * complete one by one, in any order that `complete` chooses, or at once while `isEager` is set.
 *
 * Changes to one name reach the disk in order; changes to different names do so in any order.
 */
export class SimulatedDisk implements Disk {
  // Fixed at construction.
  private readonly random: SeededRandom;

  // Set by the test.
  faults = NO_FAULTS;
  isEager = true;
  /** All operations that have begun, in order. */
  begun: string[] = [];

  // Moved by operations and crashes.
  private names = new Map<string, SimulatedFile>();
  private durableNames = new Map<string, SimulatedFile>();
  private changes: NameChange[] = [];
  private operations: Operation[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
  }

  get pendingOperations(): number {
    return this.operations.length;
  }

  /** Returns the operations in progress, such as `append spans-...`. */
  get pending(): string[] {
    return this.operations.map(({ kind }) => kind);
  }

  /** Completes one of the operations in progress. */
  complete(): void {
    this.completeAt(this.random.between(0, this.operations.length - 1));
  }

  completeOldest(): void {
    this.completeAt(0);
  }

  /**
   * Completes the oldest operation whose name does not begin with this; returns whether one
   * existed.
   */
  completeOther(kind: string): boolean {
    const at = this.operations.findIndex((operation) => !operation.kind.startsWith(kind));
    if (at >= 0) this.completeAt(at);
    return at >= 0;
  }

  /** Kills the process; its writes stay in the page cache. */
  kill(): void {
    for (const { interrupt } of this.operations.splice(0)) interrupt();
  }

  /** Cuts the power; chance decides the fate of unsynced data. */
  cutPower(): void {
    this.kill();
    this.durableNames = namesAfterCut(this.durableNames, this.changes, this.random);
    this.changes = [];
    this.names = new Map(this.durableNames);
    for (const file of new Set(this.names.values())) file.cutPower(this.random);
  }

  fileNames(): string[] {
    return [...this.names.keys()].toSorted();
  }

  file(name: string): SimulatedFile {
    const file = this.names.get(name);
    if (file === undefined) throw errorOf("ENOENT", name);
    return file;
  }

  list(): Promise<DiskFile[]> {
    return this.begin("list", () => Array.from(this.names, listed));
  }

  create(name: string): Promise<AppendFile> {
    const interrupt = this.half(() => void this.createNow(name));
    return this.begin(`create ${name}`, () => this.createNow(name), interrupt);
  }

  read(name: string, offsetBytes: number, into: Uint8Array): Promise<number> {
    return this.begin(`read ${name}`, () => {
      this.failSome(this.faults.failedReads, name);
      return this.file(name).read(offsetBytes, into);
    });
  }

  sync(name: string): Promise<void> {
    return this.begin(`sync ${name}`, () => this.file(name).sync());
  }

  remove(name: string): Promise<void> {
    const interrupt = this.half(() => this.removeNow(name));
    return this.begin(`remove ${name}`, () => this.removeNow(name), interrupt);
  }

  syncDirectory(): Promise<void> {
    return this.begin("sync directory", () => {
      this.failSome(this.faults.failedNames, "the directory");
      this.durableNames = new Map(this.names);
      this.changes = [];
    });
  }

  /** Begins an operation. `interrupt` applies what a crash leaves of it. */
  begin<Result>(kind: string, run: () => Result, interrupt = (): void => {}): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const operation = { kind, run, interrupt, resolve, reject } as Operation;
    if (this.begun.length < MAX_BEGUN) this.begun.push(kind);
    if (this.isEager) end(operation);
    else this.operations.push(operation);
    return promise;
  }

  append(file: SimulatedFile, bytes: Uint8Array): void {
    const isFailed = this.random.chance(this.faults.failedWrites);
    const taken = Array.from(this.names.values(), ({ length }) => length);
    const room = this.faults.capacityBytes - taken.reduce((sum, length) => sum + length, 0);
    const written = isFailed ? this.random.between(0, bytes.length) : Math.min(room, bytes.length);
    file.write(bytes.subarray(0, Math.max(0, written)));
    if (isFailed || written < bytes.length) throw errorOf(isFailed ? "EIO" : "ENOSPC", "write");
  }

  appendSome(file: SimulatedFile, bytes: Uint8Array): void {
    if (this.random.chance(0.5))
      file.write(bytes.subarray(0, this.random.between(0, bytes.length)));
  }

  syncFile(file: SimulatedFile): void {
    if (!this.random.chance(this.faults.failedSyncs)) return file.sync();
    file.failSync(this.random);
    throw errorOf("EIO", "sync");
  }

  private completeAt(at: number): void {
    const [operation] = this.operations.splice(at, 1);
    if (operation !== undefined) end(operation);
  }

  private createNow(name: string): AppendFile {
    this.failSome(this.faults.failedNames, name);
    if (this.names.has(name)) throw errorOf("EEXIST", name);
    const file = new SimulatedFile();
    this.change({ name, file });
    return new OpenFile(this, name, file);
  }

  private removeNow(name: string): void {
    this.failSome(this.faults.failedNames, name);
    this.file(name);
    this.change({ name, file: undefined });
  }

  private change(change: NameChange): void {
    this.changes.push(change);
    applyChange(this.names, change);
  }

  /** Returns what a crash in the middle leaves: everything or nothing. */
  private half(run: () => void): () => void {
    return () => {
      if (this.random.chance(0.5) && this.faults.failedNames === 0) run();
    };
  }

  private failSome(probability: number, what: string): void {
    if (this.random.chance(probability)) throw errorOf("EIO", what);
  }
}

class OpenFile implements AppendFile {
  // Fixed at construction.
  private readonly disk: SimulatedDisk;
  private readonly name: string;
  private readonly file: SimulatedFile;

  // Set by `close`.
  private isClosed = false;

  constructor(disk: SimulatedDisk, name: string, file: SimulatedFile) {
    this.disk = disk;
    this.name = name;
    this.file = file;
  }

  append(pieces: readonly Uint8Array[]): Promise<void> {
    const { disk, file } = this;
    return disk.begin(
      `append ${this.name}`,
      () => disk.append(file, Buffer.concat(pieces)),
      () => disk.appendSome(file, Buffer.concat(pieces)),
    );
  }

  sync(): Promise<void> {
    return this.disk.begin(`sync ${this.name}`, () => {
      // A real descriptor may be closed, or belong to another file, before the call begins.
      if (this.isClosed) throw errorOf("EBADF", this.name);
      this.disk.syncFile(this.file);
    });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function listed([name, { length }]: readonly [string, SimulatedFile]): DiskFile {
  return { name, bytes: length };
}

function end({ run, resolve, reject }: Operation): void {
  try {
    resolve(run());
  } catch (error) {
    reject(error);
  }
}

function applyChange(names: Map<string, SimulatedFile>, { name, file }: NameChange): void {
  if (file === undefined) names.delete(name);
  else names.set(name, file);
}

/** Returns the names after a power cut: the first few changes to each name are on the disk. */
function namesAfterCut(
  durable: ReadonlyMap<string, SimulatedFile>,
  changes: readonly NameChange[],
  random: SeededRandom,
): Map<string, SimulatedFile> {
  const names = new Map(durable);
  for (const ofOneName of Map.groupBy(changes, ({ name }) => name).values()) {
    for (const change of ofOneName.slice(0, random.between(0, ofOneName.length))) {
      applyChange(names, change);
    }
  }
  return names;
}

function errorOf(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
