import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { Connection, Ends } from "./connection.ts";
import { endsKey } from "./connection.ts";

export type Refusal = Extract<
  ProblemReason,
  "too_many_connections" | "too_many_connections_per_address"
>;

/**
 * The connections that are open, counted by address.
 *
 * Invariant: the sum of `countByAddress` = size <= maxConnections,
 * and each of its numbers is from 1 to maxPerAddress.
 */
export class ConnectionTable implements Iterable<Connection> {
  // Fixed at construction.
  private readonly maxConnections: number;
  private readonly maxPerAddress: number;

  // Moved by `add` and `remove`.
  private readonly byKey = new Map<string, Connection>();
  private readonly countByAddress = new Map<string, number>();

  constructor(limits: { readonly connections: number; readonly connectionsPerAddress: number }) {
    this.maxConnections = limits.connections;
    this.maxPerAddress = limits.connectionsPerAddress;
  }

  get size(): number {
    return this.byKey.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.byKey.values();
  }

  find(ends: Ends): Connection | undefined {
    return this.byKey.get(endsKey(ends));
  }

  /** Why one more from `address` cannot be taken; undefined when it can. */
  refusalOf(address: string): Refusal | undefined {
    if (this.size >= this.maxConnections) return "too_many_connections";
    const isFull = this.countOf(address) >= this.maxPerAddress;
    return isFull ? "too_many_connections_per_address" : undefined;
  }

  add(connection: Connection): void {
    this.byKey.set(connection.key, connection);
    this.countByAddress.set(connection.address, this.countOf(connection.address) + 1);
  }

  remove({ key, address }: Connection): void {
    if (!this.byKey.delete(key)) return;
    const left = this.countOf(address) - 1;
    if (left > 0) this.countByAddress.set(address, left);
    else this.countByAddress.delete(address);
  }

  private countOf(address: string): number {
    return this.countByAddress.get(address) ?? 0;
  }
}
