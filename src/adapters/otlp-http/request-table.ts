import type { Receipt } from "../../domain/receipt.ts";
import type { LimitsConfig } from "../../config/config.ts";
import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InFlightBudget, InFlightOwner, OpenRequest } from "../memory/in-flight-budget.ts";
import type { Objection } from "../otlp/status-table.ts";

/** Why a request was answered with 503 before it was received. */
export type BusyReason = Extract<
  ProblemReason,
  "too_many_requests" | "too_many_requests_per_address" | "in_flight_bytes" | "request_timeout"
>;

export type Busy = Extract<Objection, { outcome: "busy" }>;

/** What a sender is told whose request is not waited for any more. */
export type GivenUp = Busy | Extract<Receipt, { outcome: "stopping" }>;

/** Who sends. Requests of one connection come from one port. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface RequestInFlight {
  /** What it is charged with. */
  readonly open: OpenRequest;
  /** Resolves when it must not be waited for any more. */
  readonly givenUp: Promise<GivenUp>;
  readonly isGivenUp: boolean;
}

export interface RequestTableParts {
  readonly limits: Pick<LimitsConfig, "connections" | "connectionsPerAddress">;
  readonly budget: InFlightBudget;
  readonly clock: Clock;
  readonly refused: (reason: BusyReason, address: string) => void;
}

/** What a request without a body costs here and in Bun, its headers included. */
export const REQUEST_BYTES = 6 * 1024;

/** From its headers to the end of its body, so that nobody holds a place by a byte now and then. */
export const MAX_REQUEST_MS = 60_000;

/**
 * The requests that are in flight, counted in all and by address.
 *
 * Bun.serve shows no connections: neither how many there are, nor which are idle, and none can be
 * closed by itself. So what `MAX_CONNECTIONS` bounds here are requests that have begun and are not
 * answered; a connection without one costs a socket, and Bun closes it after its idle time. And
 * what is dropped is not the connection but the wait for its bodies: each is answered with 503.
 *
 * Invariant: `requests.size` = the sum of `countByAddress` <= `limits.connections`.
 */
export class RequestTable {
  // Fixed at construction.
  private readonly parts: RequestTableParts;

  // Moved by `begin` and `end`.
  /** Oldest first. */
  private readonly requests = new Set<Entry>();
  private readonly connections = new Map<string, HttpConnection>();
  private readonly countByAddress = new Map<string, number>();

  constructor(parts: RequestTableParts) {
    this.parts = parts;
  }

  get size(): number {
    return this.requests.size;
  }

  /** A request that may be read, until `end`; or what its sender is told instead. */
  begin(peer: Peer): RequestInFlight | Busy {
    const reason = this.refusalOf(peer.address);
    if (reason === undefined) return this.add(peer);
    this.parts.refused(reason, peer.address);
    return BUSY[reason];
  }

  /** To be called once for every request that `begin` let in. */
  end(request: RequestInFlight): void {
    if (!(request instanceof Entry) || !this.requests.delete(request)) return;
    this.parts.budget.end(request.open);
    const { address, key, requests } = request.connection;
    this.count(address, -1);
    if (requests.delete(request) && requests.size === 0) this.connections.delete(key);
  }

  /** To be called about once a second: what takes too long is given up. */
  expire(): void {
    const latestMs = this.parts.clock.monotonicMs() - MAX_REQUEST_MS;
    const isLate = (request: Entry) => request.open.openedAtMs <= latestMs;
    for (const late of this.requests.values().filter(isLate)) late.giveUp("request_timeout");
  }

  /** Nobody keeps what still comes, so it is not waited for. */
  stop(): void {
    for (const request of this.requests) request.leave(STOPPING);
  }

  private refusalOf(address: string): BusyReason | undefined {
    const { connections, connectionsPerAddress } = this.parts.limits;
    if (this.size >= connections) return "too_many_requests";
    const isFull = (this.countByAddress.get(address) ?? 0) >= connectionsPerAddress;
    return isFull ? "too_many_requests_per_address" : undefined;
  }

  private add(peer: Peer): RequestInFlight {
    const entry = new Entry(this.connectionOf(peer), this.parts.budget);
    this.requests.add(entry);
    this.count(peer.address, 1);
    return entry;
  }

  private connectionOf(peer: Peer): HttpConnection {
    const key = `${peer.address} ${peer.port}`;
    const known = this.connections.get(key);
    const connection = known ?? new HttpConnection(key, peer.address, this.parts.refused);
    if (known === undefined) this.connections.set(key, connection);
    return connection;
  }

  private count(address: string, change: 1 | -1): void {
    const counted = (this.countByAddress.get(address) ?? 0) + change;
    if (counted > 0) this.countByAddress.set(address, counted);
    else this.countByAddress.delete(address);
  }
}

/** As much as there is to know of a connection: which requests came on it. */
class HttpConnection implements InFlightOwner {
  readonly key: string;
  readonly address: string;
  readonly refused: RequestTableParts["refused"];
  readonly requests = new Set<Entry>();

  constructor(key: string, address: string, refused: RequestTableParts["refused"]) {
    this.key = key;
    this.address = address;
    this.refused = refused;
  }

  dropped(): void {
    for (const request of this.requests) request.giveUp("in_flight_bytes");
  }
}

class Entry implements RequestInFlight {
  // Fixed at construction.
  readonly connection: HttpConnection;
  readonly open: OpenRequest;
  private readonly patience = Promise.withResolvers<GivenUp>();

  // Moved by `leave`.
  isGivenUp = false;

  constructor(connection: HttpConnection, budget: InFlightBudget) {
    this.connection = connection;
    // First, for the budget may drop the connection at once.
    connection.requests.add(this);
    this.open = budget.begin(connection, REQUEST_BYTES);
  }

  get givenUp(): Promise<GivenUp> {
    return this.patience.promise;
  }

  giveUp(reason: BusyReason): void {
    if (!this.isGivenUp) this.connection.refused(reason, this.connection.address);
    this.leave(BUSY[reason]);
  }

  /** Only the first answer counts. */
  leave(answer: GivenUp): void {
    this.isGivenUp = true;
    this.patience.resolve(answer);
  }
}

const STOPPING: GivenUp = {
  outcome: "stopping",
  message: "spanring is shutting down; send again",
};

const RETRY_AFTER_MS = 1_000;

const BUSY: Readonly<Record<BusyReason, Busy>> = {
  too_many_requests: busy("too many requests are in flight"),
  too_many_requests_per_address: busy("too many requests from this address are in flight"),
  in_flight_bytes: busy("requests in flight take too much memory, this one the most"),
  request_timeout: busy(`the request was not whole after ${MAX_REQUEST_MS / 1000} s`),
};

function busy(reason: string): Busy {
  const message = `${reason}; send again later`;
  return { outcome: "busy", message, retryAfterMs: RETRY_AFTER_MS };
}
