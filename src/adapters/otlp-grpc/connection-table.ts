import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import type { ProblemReason } from "../../domain/problem-reason.ts";
import { AddressLimit, type AddressLimits } from "../listening/address-limit.ts";
import type { InFlightOwner } from "../memory/in-flight-budget.ts";
import { type Stage, UnusedConnections } from "./unused-connections.ts";

/** Both ends of a connection, which identify it among the open ones. */
interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

export function endsKey({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** Why a connection is closed whose peer takes more than its share. */
type ExcessReason = Extract<ProblemReason, "in_flight_bytes" | "excessive_frames">;

/** An accepted socket. */
export class Connection implements InFlightOwner {
  // Fixed at construction.
  readonly socket: Socket;
  readonly address: string;
  private readonly noted: (reason: ExcessReason) => void;

  /** Set by the table once a call may look for the connection. */
  key: string | undefined;

  // Moved by `advance`, the first call, `dropped` and `close`.
  stage: Stage = "silent";
  /** Called when it has left a stage. */
  advanced: (from: Stage) => void = () => {};
  hasBegun = false;
  /** Set when the peer has said GOAWAY. */
  isLeaving = false;
  /** The bytes that it held when it was dropped. They become garbage when the socket is closed. */
  droppedBytes = 0;
  private isClosing = false;

  // Moved by its calls, and by `IdleConnections`.
  openCalls = 0;
  /** The checks since a call began or ended. */
  quietChecks = 0;
  private session: Http2Session | undefined;

  /** Resolves when the socket is closed, by either side. */
  readonly closed: Promise<void>;

  constructor(socket: Socket, noted: (reason: ExcessReason) => void) {
    this.socket = socket;
    this.noted = noted;
    this.address = socket.remoteAddress ?? "";
    this.closed = new Promise((resolve) => void socket.once("close", () => resolve()));
  }

  /** Whether it has not opened HTTP/2 yet, so that it has no call. */
  get isOpening(): boolean {
    return this.key === undefined && !this.hasBegun;
  }

  /** Called with the first bytes, and with each message. */
  advance(stage: Stage): void {
    const from = this.stage;
    if (from === stage) return;
    this.stage = stage;
    this.advanced(from);
  }

  /** Called before the first call. */
  begin(session: Http2Session): void {
    this.hasBegun = true;
    this.session = session;
  }

  callBegan(): void {
    this.openCalls += 1;
    this.quietChecks = 0;
  }

  callEnded(): void {
    this.openCalls -= 1;
    this.quietChecks = 0;
  }

  /** Sends GOAWAY if it has had a call, and closes. */
  closeIdle(): void {
    if (this.session === undefined) this.close();
    else this.session.close();
  }

  /** Closes later in the event loop: the HTTP/2 parser may be reading the socket's bytes now. */
  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    setImmediate(() => this.socket.destroy());
  }

  /** Called when its unfinished messages exceed the budget. */
  dropped(heldBytes: number): void {
    this.droppedBytes += heldBytes;
    this.close();
    this.noted("in_flight_bytes");
  }

  /** Called when the peer sends frames out of proportion to its calls. */
  excessive(): void {
    if (this.isClosing) return;
    this.close();
    this.noted("excessive_frames");
  }
}

type RefusalReason = Extract<
  ProblemReason,
  "too_many_connections" | "too_many_connections_per_address"
>;

const REASONS: Readonly<Record<"total" | "address", RefusalReason>> = {
  total: "too_many_connections",
  address: "too_many_connections_per_address",
};

/** Holds the open connections, and limits them in total and for each address. */
export class ConnectionTable implements Iterable<Connection> {
  private readonly connections = new Set<Connection>();
  // Only the newest one for each key: sockets that were reset before they were accepted have
  // no address, and a peer can use a port again before its old socket is closed here.
  private readonly byKey = new Map<string, Connection>();
  private readonly open: AddressLimit;
  private readonly unused = new UnusedConnections<Connection>();
  /** The connections accepted since the start. */
  acceptedCount = 0;

  constructor(limits: AddressLimits) {
    this.open = new AddressLimit(limits);
  }

  get size(): number {
    return this.connections.size;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.connections.values();
  }

  find(ends: Ends): Connection | undefined {
    return this.byKey.get(endsKey(ends));
  }

  /** Returns why one more connection from `address` is refused; undefined if it is accepted. */
  refusalOf(address: string): RefusalReason | undefined {
    const exceeded = this.open.exceededBy(address);
    return exceeded === undefined ? undefined : REASONS[exceeded];
  }

  /**
   * Makes room for a connection that would be refused: one that has not sent a message no longer
   * counts, and is returned, for the caller to close. It can be found until then, so that a call on
   * it is answered. Exporters send a message at once, so peers that only connect, or never finish a
   * message, cannot lock out others.
   */
  makeRoom(reason: RefusalReason, address: string): Connection | undefined {
    const unused = this.unused.choose(reason === REASONS.total ? undefined : address);
    if (unused !== undefined) this.leave(unused);
    return unused;
  }

  add(connection: Connection): void {
    this.acceptedCount += 1;
    this.connections.add(connection);
    this.open.add(connection.address);
    this.unused.add(connection);
    connection.advanced = (from) => this.regroup(connection, from);
  }

  /**
   * Makes a connection one that `find` returns. Called before its first call, because to ask for
   * its ends takes a fifth of the time that a silent connection takes.
   */
  identify(connection: Connection): void {
    connection.key = endsKey(connection.socket);
    this.byKey.set(connection.key, connection);
  }

  remove(connection: Connection): void {
    const { key } = connection;
    if (key !== undefined && this.byKey.get(key) === connection) this.byKey.delete(key);
    this.leave(connection);
  }

  private leave(connection: Connection): void {
    const { address, stage } = connection;
    if (!this.connections.delete(connection)) return;
    this.open.remove(address);
    this.unused.remove(connection, stage);
  }

  private regroup(connection: Connection, from: Stage): void {
    if (!this.connections.has(connection)) return;
    this.unused.remove(connection, from);
    this.unused.add(connection);
  }
}
