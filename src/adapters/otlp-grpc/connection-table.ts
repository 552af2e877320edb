import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { Socket } from "node:net";
import type { InFlightOwner } from "../memory/in-flight-budget.ts";

/** Who is at the other end, and at which of our ports: no two open connections have the same. */
interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

export function endsKey({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** An accepted socket. */
export class Connection implements InFlightOwner {
  // Fixed at construction.
  readonly socket: Socket;
  readonly address: string;
  readonly key: string;
  private readonly noted: (reason: "in_flight_bytes") => void;

  // Moved by the first stream, and by `close`.
  hasBegun = false;
  private isClosing = false;

  /** Resolves when the socket is closed, whoever closed it. */
  readonly closed: Promise<void>;

  constructor(socket: Socket, noted: (reason: "in_flight_bytes") => void) {
    this.socket = socket;
    this.noted = noted;
    this.address = socket.remoteAddress ?? "";
    this.key = endsKey(socket);
    this.closed = new Promise((resolve) => void socket.once("close", () => resolve()));
  }

  /** Not at once: this may be called while the HTTP/2 parser is within the socket's bytes. */
  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    setImmediate(() => this.socket.destroy());
  }

  /** Its unfinished messages were too much for the budget. */
  dropped(): void {
    this.close();
    this.noted("in_flight_bytes");
  }
}

type Refusal = Extract<ProblemReason, "too_many_connections" | "too_many_connections_per_address">;

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
