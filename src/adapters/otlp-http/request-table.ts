import { isTooSlow } from "../listening/arrival-rate.ts";
import { AddressLimit } from "../listening/address-limit.ts";
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

/** The answer to a request that is abandoned. */
export type EarlyAnswer = Busy | Extract<Receipt, { outcome: "stopping" }>;

/** The sender of a request. All requests of one connection come from one port. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** A request that may be read until its disposal, which must happen once. */
export interface RequestInFlight extends Disposable {
  /** The address of its sender. */
  readonly address: string;
  /** The memory that it is charged with. */
  readonly open: OpenRequest;
  /** Resolves when its body must not be waited for any longer. */
  readonly abandoned: Promise<EarlyAnswer>;
  readonly isAbandoned: boolean;
  /** The bytes of its body that have arrived, at most; infinite when no more are awaited. */
  arrivedBytes: number;
}

export interface RequestTableParts {
  readonly limits: Pick<LimitsConfig, "connections" | "connectionsPerAddress" | "requestMs">;
  readonly budget: InFlightBudget;
  readonly clock: Clock;
  readonly refused: (reason: BusyReason, address: string) => void;
}

/** The memory of a request without a body, here and in Bun, with its headers. */
export const REQUEST_BYTES = 6 * 1024;

/**
 * Holds the requests in flight, limited in total and for each address.
 *
 * Bun.serve does not expose connections: neither how many are open nor which are idle, and a single
 * one cannot be closed. So `MAX_CONNECTIONS` limits the requests that have begun and are not
 * answered. A connection without a request costs a socket until Bun closes it after the idle time.
 * To drop a connection means to stop waiting for its bodies: each is answered with 503.
 *
 * Invariant: `requests.size` = `open.size`.
 */
export class RequestTable {
  // Fixed at construction.
  private readonly parts: RequestTableParts;

  // Moved by `begin` and the disposal of requests.
  /** The requests in flight, oldest first. */
  private readonly requests = new Set<Entry>();
  private readonly connections = new Map<string, HttpConnection>();
  private readonly open: AddressLimit;

  constructor(parts: RequestTableParts) {
    this.parts = parts;
    this.open = new AddressLimit(parts.limits);
  }

  get size(): number {
    return this.requests.size;
  }

  /** Returns a request that may be read until its disposal, or the answer if it is refused. */
  begin(peer: Peer): RequestInFlight | Busy {
    const reason = this.refusalOf(peer.address);
    if (reason === undefined) return this.add(peer);
    this.parts.refused(reason, peer.address);
    return BUSY[reason];
  }

  /** Is called when a request is disposed of. */
  private readonly ended = (request: Entry): void => {
    if (!this.requests.delete(request)) return;
    this.parts.budget.end(request.open);
    const { address, key, requests } = request.connection;
    this.open.remove(address);
    if (requests.delete(request) && requests.size === 0) this.connections.delete(key);
  };

  /** Abandons requests that arrive too slowly or take too long. Must be called each second. */
  expire(): void {
    const nowMs = this.parts.clock.monotonicMs();
    const late = this.requests.values().filter((request) => isLate(request, nowMs, this.parts));
    for (const request of late) request.refuse("request_timeout");
  }

  /** Abandons all requests: what still arrives would not be stored. */
  stop(): void {
    for (const request of this.requests) request.abandon(STOPPING);
  }

  private refusalOf(address: string): BusyReason | undefined {
    const exceeded = this.open.exceededBy(address);
    return exceeded === undefined ? undefined : REASONS[exceeded];
  }

  private add(peer: Peer): RequestInFlight {
    const entry = new Entry(this.connectionOf(peer), this.parts.budget, this.ended);
    this.requests.add(entry);
    this.open.add(peer.address);
    return entry;
  }

  private connectionOf(peer: Peer): HttpConnection {
    const key = `${peer.address} ${peer.port}`;
    const known = this.connections.get(key);
    const connection = known ?? new HttpConnection(key, peer.address, this.parts.refused);
    if (known === undefined) this.connections.set(key, connection);
    return connection;
  }
}

function isLate(request: Entry, nowMs: number, { limits }: RequestTableParts): boolean {
  const ageMs = nowMs - request.open.openedAtMs;
  return ageMs >= limits.requestMs || isTooSlow(request.arrivedBytes, ageMs);
}

/** The requests of one connection. Bun.serve exposes nothing else of it. */
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
    for (const request of this.requests) request.refuse("in_flight_bytes");
  }
}

class Entry implements RequestInFlight {
  // Fixed at construction.
  readonly connection: HttpConnection;
  readonly open: OpenRequest;
  private readonly answer = Promise.withResolvers<EarlyAnswer>();
  private readonly ended: (request: Entry) => void;

  // Moved by `abandon`.
  isAbandoned = false;

  // Moved by the reader of its body.
  arrivedBytes = 0;

  constructor(connection: HttpConnection, budget: InFlightBudget, ended: (request: Entry) => void) {
    this.connection = connection;
    this.ended = ended;
    // Before it is charged: the budget may drop the connection at once.
    connection.requests.add(this);
    this.open = budget.begin(connection, REQUEST_BYTES);
  }

  get address(): string {
    return this.connection.address;
  }

  get abandoned(): Promise<EarlyAnswer> {
    return this.answer.promise;
  }

  refuse(reason: BusyReason): void {
    if (!this.isAbandoned) this.connection.refused(reason, this.connection.address);
    this.abandon(BUSY[reason]);
  }

  [Symbol.dispose](): void {
    this.ended(this);
  }

  /** Keeps the first answer. */
  abandon(answer: EarlyAnswer): void {
    this.isAbandoned = true;
    this.answer.resolve(answer);
  }
}

const STOPPING: EarlyAnswer = {
  outcome: "stopping",
  message: "spanring is shutting down; retry later",
};

const REASONS: Readonly<Record<"total" | "address", BusyReason>> = {
  total: "too_many_requests",
  address: "too_many_requests_per_address",
};

const RETRY_AFTER_MS = 1_000;

const BUSY: Readonly<Record<BusyReason, Busy>> = {
  too_many_requests: busy("too many requests are in flight"),
  too_many_requests_per_address: busy("too many requests from this address are in flight"),
  in_flight_bytes: busy("requests in flight take too much memory, this one the most"),
  request_timeout: busy(
    "the request was not complete within REQUEST_TIMEOUT_MS, or came at less than 1 KiB a second",
  ),
};

function busy(reason: string): Busy {
  const message = `${reason}; retry later`;
  return { outcome: "busy", message, retryAfterMs: RETRY_AFTER_MS };
}
