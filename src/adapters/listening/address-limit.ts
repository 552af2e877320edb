/** The maximum number of open connections or requests, in total and for each address. */
export interface AddressLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/**
 * Counts open connections or requests by the address of their peer.
 *
 * Invariant: the sum of `countByAddress` = size <= limits.connections,
 * and each of its numbers is from 1 to limits.connectionsPerAddress.
 */
export class AddressLimit {
  // Fixed at construction.
  private readonly limits: AddressLimits;

  // Moved by `add` and `remove`.
  private readonly countByAddress = new Map<string, number>();
  size = 0;

  constructor(limits: AddressLimits) {
    this.limits = limits;
  }

  /** Returns the limit that another one from `address` would exceed; undefined if none. */
  exceededBy(address: string): "total" | "address" | undefined {
    if (this.size >= this.limits.connections) return "total";
    return this.countOf(address) >= this.limits.connectionsPerAddress ? "address" : undefined;
  }

  /** Returns the address with the most, if `address` would have fewer even with one more. */
  crowdBeside(address: string): string | undefined {
    const [crowd, count] = mostOf(this.countByAddress);
    return count > this.countOf(address) + 1 ? crowd : undefined;
  }

  add(address: string): void {
    this.countByAddress.set(address, this.countOf(address) + 1);
    this.size += 1;
  }

  /** Forgets addresses without a peer, so that memory does not grow with every address seen. */
  remove(address: string): void {
    const count = this.countOf(address) - 1;
    if (count > 0) this.countByAddress.set(address, count);
    else this.countByAddress.delete(address);
    this.size -= 1;
  }

  private countOf(address: string): number {
    return this.countByAddress.get(address) ?? 0;
  }
}

function mostOf(counts: ReadonlyMap<string, number>): readonly [address: string, count: number] {
  let most: readonly [string, number] = ["", 0];
  for (const each of counts) if (each[1] > most[1]) most = each;
  return most;
}
