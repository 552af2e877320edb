import { isTooSlow } from "../listening/arrival-rate.ts";
import { AddressLimit } from "../listening/address-limit.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type { LimitsConfig } from "../../config/config.ts";
import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  DropCause,
  InFlightBudget,
  InFlightOwner,
  OpenRequest,
} from "../memory/in-flight-budget.ts";
import type { Objection } from "../otlp/status-table.ts";
import type { Peer } from "./request-peer.ts";

/** Why a request was answered with 503 before it was received. */
export type BusyReason = Extract<
  ProblemReason,
  "too_many_requests" | "too_many_requests_per_address" | "in_flight_bytes" | "request_timeout"
>;

export type Busy = Extract<Objection, { outcome: "busy" }>;

/** The answer to a request that is abandoned. */
export type EarlyAnswer = Busy | Extract<Receipt, { outcome: "stopping" }>;

/** A request that may be read until its disposal, which must happen once. */
export interface RequestInFlight extends Disposable {
  readonly peer: Peer;
  /** The memory that it is charged with. */
  readonly open: OpenRequest;
  /** Set when its body must not be waited for any longer. */
  readonly earlyAnswer: EarlyAnswer | undefined;
  /** Calls `listener` when it is abandoned, in place of an earlier listener. */
  onAbandoned(listener: (answer: EarlyAnswer) => void): void;
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
 * If all requests are taken, the address with the most of them gives up its oldest one whose body
 * is incomplete, for a request of an address that has fewer. Senders that never finish their
 * requests thus compete with each other: an exporter has few requests in flight at a time.
 *
 * Most requests are answered in the turn of the event loop in which they begin. Their peers are
 * not asked for, which would take a seventh of the processor time of a request with one span. The
 * others are assigned to their connections at the end of the turn, while Bun still knows the peer,
 * or earlier if a limit could be exceeded.
 *
 * Invariant: `requests.size` = `open.size` + the requests of `unassigned` that have not ended.
 */
export class RequestTable {
  // Fixed at construction.
  private readonly parts: RequestTableParts;

  // Moved by `begin` and the disposal of requests.
  /** The requests in flight, oldest first. */
  private readonly requests = new Set<Entry>();
  private readonly connections = new Map<string, HttpConnection>();
  private readonly open: AddressLimit;
  private unassigned: Entry[] = [];

  constructor(parts: RequestTableParts) {
    this.parts = parts;
    this.open = new AddressLimit(parts.limits);
  }

  get size(): number {
    return this.requests.size;
  }

  /** Returns a request that may be read until its disposal, or the answer if it is refused. */
  begin(peer: Peer): RequestInFlight | Busy {
    const reason = this.refusalOf(peer);
    if (reason === undefined || this.makeRoom(reason, peer)) return this.add(peer);
    this.parts.refused(reason, peer.address);
    return BUSY[reason];
  }

  /** Removes a request that has been answered. */
  end(request: Entry): void {
    if (!this.requests.delete(request)) return;
    this.parts.budget.end(request.open);
    if (request.connection !== undefined) this.leave(request, request.connection);
  }

  /** Abandons requests that arrive too slowly or take too long. Must be called each second. */
  expire(): void {
    const nowMs = this.parts.clock.monotonicMs();
    const late = this.requests.values().filter((request) => isLate(request, nowMs, this.parts));
    for (const request of late) request.refuse("request_timeout", this.parts.refused);
  }

  /** Abandons all requests: what still arrives would not be stored. */
  stop(): void {
    for (const request of this.requests) request.abandon(STOPPING);
  }

  /** Returns the connection of a request. */
  connectionOf(request: Entry): HttpConnection {
    request.connection ??= this.join(request);
    return request.connection;
  }

  /** Assigns all requests to their connections. */
  private assign(): void {
    const requests = this.unassigned;
    this.unassigned = [];
    for (const request of requests) if (this.requests.has(request)) this.connectionOf(request);
  }

  private refusalOf(peer: Peer): BusyReason | undefined {
    const { connections, connectionsPerAddress } = this.parts.limits;
    if (this.requests.size < Math.min(connections, connectionsPerAddress)) return undefined;
    this.assign();
    const exceeded = this.open.exceededBy(peer.address);
    return exceeded === undefined ? undefined : REASONS[exceeded];
  }

  /** Returns whether another request gives way to one that would be refused. */
  private makeRoom(reason: BusyReason, { address }: Peer): boolean {
    const crowd = reason === REASONS.total ? this.open.crowdBeside(address) : undefined;
    const oldest = crowd === undefined ? undefined : this.oldestIncompleteOf(crowd);
    oldest?.refuse(reason, this.parts.refused);
    if (oldest !== undefined) this.end(oldest);
    return oldest !== undefined;
  }

  private oldestIncompleteOf(address: string): Entry | undefined {
    const isOne = ({ peer, arrivedBytes }: Entry): boolean =>
      peer.address === address && arrivedBytes !== Infinity;
    return this.requests.values().find(isOne);
  }

  private add(peer: Peer): RequestInFlight {
    const entry = new Entry(peer, this);
    this.requests.add(entry);
    this.assignLater(entry);
    entry.open = this.parts.budget.begin(() => this.connectionOf(entry), REQUEST_BYTES);
    return entry;
  }

  private assignLater(entry: Entry): void {
    if (this.unassigned.length === 0) setImmediate(() => this.assign());
    this.unassigned.push(entry);
  }

  private join(request: Entry): HttpConnection {
    const { address, port } = request.peer;
    const connection = this.connectionAt(`${address} ${port}`);
    connection.requests.add(request);
    this.open.add(address);
    return connection;
  }

  private connectionAt(key: string): HttpConnection {
    const connection = this.connections.get(key) ?? new HttpConnection(key, this.parts.refused);
    this.connections.set(key, connection);
    return connection;
  }

  private leave(request: Entry, { key, requests }: HttpConnection): void {
    this.open.remove(request.peer.address);
    requests.delete(request);
    if (requests.size === 0) this.connections.delete(key);
  }
}

function isLate(request: Entry, nowMs: number, { limits }: RequestTableParts): boolean {
  const ageMs = nowMs - request.open.openedAtMs;
  return ageMs >= limits.requestMs || isTooSlow(request.arrivedBytes, ageMs);
}

/** The requests of one connection. Bun.serve exposes nothing else of it. */
class HttpConnection implements InFlightOwner {
  readonly key: string;
  readonly refused: RequestTableParts["refused"];
  readonly requests = new Set<Entry>();

  constructor(key: string, refused: RequestTableParts["refused"]) {
    this.key = key;
    this.refused = refused;
  }

  dropped(_heldBytes: number, cause: DropCause): void {
    const answer = DROPPED[cause];
    for (const request of this.requests) request.refuse("in_flight_bytes", this.refused, answer);
  }
}

class Entry implements RequestInFlight {
  // Fixed at construction.
  readonly peer: Peer;
  private readonly table: RequestTable;

  // Set by the table.
  open!: OpenRequest;
  connection: HttpConnection | undefined;

  // Moved by `abandon`.
  earlyAnswer: EarlyAnswer | undefined;

  // Moved by the reader of its body.
  arrivedBytes = 0;
  private abandoned: ((answer: EarlyAnswer) => void) | undefined;

  constructor(peer: Peer, table: RequestTable) {
    this.peer = peer;
    this.table = table;
  }

  onAbandoned(listener: (answer: EarlyAnswer) => void): void {
    this.abandoned = listener;
    if (this.earlyAnswer !== undefined) listener(this.earlyAnswer);
  }

  refuse(reason: BusyReason, refused: RequestTableParts["refused"], answer = BUSY[reason]): void {
    if (this.earlyAnswer === undefined) refused(reason, this.peer.address);
    this.abandon(answer);
  }

  [Symbol.dispose](): void {
    this.table.end(this);
  }

  /** Keeps the first answer. */
  abandon(answer: EarlyAnswer): void {
    if (this.earlyAnswer !== undefined) return;
    this.earlyAnswer = answer;
    this.abandoned?.(answer);
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

/** The answers to requests that are dropped, by what they lack room for. */
const DROPPED: Readonly<Record<DropCause, Busy>> = {
  requests: BUSY.in_flight_bytes,
  answers: busy("responses that the read API still sends leave too little memory for this request"),
  process: busy("the receiver as a whole takes too much memory to accept this request now"),
};

/**
 * Reports whether the connection of a request is better closed after the answer: it would stay open
 * until the rest of the body has arrived, which may be never.
 */
export function isGivenUp({ earlyAnswer }: RequestInFlight): boolean {
  return earlyAnswer === BUSY.request_timeout || earlyAnswer === BUSY.too_many_requests;
}

function busy(reason: string): Busy {
  const message = `${reason}; retry later`;
  return { outcome: "busy", message, retryAfterMs: RETRY_AFTER_MS };
}
