import type { SeededRandom } from "./seeded-random.ts";

export const PAGE_BYTES = 4096;
/** The unit of a disk write: a torn page is new up to, or from, a multiple of this. */
const SECTOR_BYTES = 512;

/**
 * A file in two versions: as the page cache shows it, and as the disk has it after a power cut.
 *
 * Invariant: pages that are not dirty are equal in both, except those that a failed sync has
 * dropped: the cache still shows them, and they will never be written.
 */
export class SimulatedFile {
  // Moved by `write`.
  private cached = new Uint8Array(PAGE_BYTES);
  length = 0;
  private readonly dirtyPages = new Set<number>();

  // Moved by `sync` and `cutPower`.
  private durable = new Uint8Array(0);
  private durableLength = 0;

  write(bytes: Uint8Array): void {
    this.cached = withRoom(this.cached, this.length + bytes.length);
    this.cached.set(bytes, this.length);
    for (const page of pagesOf(this.length, bytes.length)) this.dirtyPages.add(page);
    this.length += bytes.length;
  }

  read(offsetBytes: number, into: Uint8Array): number {
    const found = this.cached.subarray(Math.min(offsetBytes, this.length), this.length);
    const read = found.subarray(0, into.length);
    into.set(read);
    return read.length;
  }

  sync(): void {
    for (const page of this.dirtyPages) this.writePage(page);
    this.durableLength = this.length;
    this.dirtyPages.clear();
  }

  /** Fails a sync: some of the dirty pages are written, and the kernel forgets the others. */
  failSync(random: SeededRandom): void {
    for (const page of this.dirtyPages) if (random.chance(0.5)) this.writePage(page);
    this.durableLength = random.between(this.durableLength, this.length);
    this.dirtyPages.clear();
  }

  /**
   * Cuts the power: each dirty page survives, is lost, or is torn; so does the length, if it has
   * changed.
   */
  cutPower(random: SeededRandom): void {
    for (const page of this.dirtyPages) persist(random, { page, file: this });
    if (random.chance(0.5)) this.durableLength = this.length;
    else this.durableLength = random.between(this.durableLength, this.length);
    this.reload();
  }

  /** Flips one bit, as if the disk had aged; all later reads see it. */
  flipBit(offsetBytes: number, bit: number): void {
    this.cached[offsetBytes]! ^= 1 << bit;
    this.durable = withRoom(this.durable, offsetBytes + 1);
    this.durable[offsetBytes]! ^= 1 << bit;
  }

  writePage(page: number, from = 0, end = PAGE_BYTES): void {
    const at = page * PAGE_BYTES;
    this.durable = withRoom(this.durable, at + PAGE_BYTES);
    this.durable.set(this.cached.subarray(at + from, Math.min(at + end, this.length)), at + from);
  }

  private reload(): void {
    this.length = this.durableLength;
    this.durable = withRoom(this.durable, this.length);
    this.cached = this.durable.slice();
    this.dirtyPages.clear();
  }
}

/** Applies a power cut to one dirty page. */
function persist(
  random: SeededRandom,
  { page, file }: { page: number; file: SimulatedFile },
): void {
  const fate = random.fraction();
  const sector = random.between(1, PAGE_BYTES / SECTOR_BYTES - 1) * SECTOR_BYTES;
  if (fate < 0.4) file.writePage(page);
  else if (fate < 0.5) file.writePage(page, 0, sector);
  else if (fate < 0.6) file.writePage(page, sector);
}

function pagesOf(offsetBytes: number, lengthBytes: number): number[] {
  if (lengthBytes === 0) return [];
  const first = Math.floor(offsetBytes / PAGE_BYTES);
  const last = Math.floor((offsetBytes + lengthBytes - 1) / PAGE_BYTES);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function withRoom(bytes: Uint8Array<ArrayBuffer>, lengthBytes: number): Uint8Array<ArrayBuffer> {
  if (bytes.length >= lengthBytes) return bytes;
  const grown = new Uint8Array(Math.max(lengthBytes, bytes.length * 2));
  grown.set(bytes);
  return grown;
}
