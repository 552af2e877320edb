import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { ListenAddress, LimitsConfig } from "../../config/config.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Problem, ProblemLog } from "../../ports/logger.ts";
import { AcceptHold } from "../listening/accept-hold.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import type { FairTurns } from "../listening/fair-turns.ts";
import { SenderTurns } from "../listening/sender-turns.ts";
import { maxOpenFiles } from "../listening/max-open-files.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import type { InFlightBudget, OpenRequest } from "../memory/in-flight-budget.ts";
import { secureSocket } from "../listening/secure-socket.ts";
import type { ServerTls } from "../listening/server-tls.ts";
import {
  closeSocket,
  nameUnixPeer,
  socketFileOf,
  withSocketMode,
} from "../listening/unix-socket.ts";
import { socketPathOf } from "../../domain/text/host-address.ts";
import { AcceptedSockets } from "./accepted-sockets.ts";
import { ClosingQueue, maxWaiting } from "./closing-queue.ts";
import { Connection, type ConnectionTable } from "./connection-table.ts";
import { type Opening, readOpening } from "./opening.ts";
import { PacedSocket } from "./paced-socket.ts";
import { encodeStatus, statusJson } from "../otlp/export-response.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";
import { destroyAfter } from "../listening/socket-deadline.ts";

interface AcceptorParts {
  readonly address: ListenAddress;
  readonly limits: LimitsConfig;
  readonly connections: ConnectionTable;
  readonly budget: InFlightBudget;
  readonly pace: CollectionPace;
  readonly turns: FairTurns;
  /** Hands the socket on to HTTP/2. */
  readonly admit: (socket: PacedSocket) => void;
  /** Records connections that are closed or refused. */
  readonly problems: ProblemLog;
  readonly clock: TimerClock;
  /** Undefined for a port without TLS. */
  readonly tls?: ServerTls | undefined;
}

export interface Acceptor extends PausableListener {
  /** The port in use, also when the configured port is 0. */
  readonly port: number;
  /** Stops accepting; open connections stay open. */
  close(): void;
}

/**
 * The time for a peer to read the last bytes and to close its side. A session that ends (idle, too
 * old, no answer to a ping, shutdown) only sends its FIN in Bun, so a peer that sends none back
 * would keep the socket open without limit. Node destroys the socket:
 * https://github.com/oven-sh/bun/pull/38195.
 */
const LINGER_MS = 1000;

/**
 * Starts the listening socket in front of grpc-js, which has no limit of connections.
 * Rejects when it cannot listen: the error's `code` is `EADDRINUSE` when the port is taken.
 */
export async function startAcceptor(given: AcceptorParts): Promise<Acceptor> {
  const { address, limits, clock, connections, tls, turns } = given;
  const closing = new ClosingQueue(maxWaiting(limits.connections, maxOpenFiles()), clock);
  const parts = { ...given, closing, steps: new SenderTurns(turns) };
  const beginNow = (socket: Socket): void => begin(socket, parts);
  const accepted = new AcceptedSockets(new SenderTurns(turns), beginNow);
  // TLS must begin before anything has been read.
  const accept = tls === undefined ? (socket: Socket) => accepted.add(socket) : beginNow;
  let server: Server | undefined = await listen(address, address.port, accept);
  let file = socketFileOf(address);
  const port = portOf(server);
  const acceptHold = new AcceptHold(port);
  const close = (): void => {
    acceptHold.end();
    closeSocket(file, () => server?.close());
    server = file = undefined;
    accepted.destroyAll();
    closing.closeAll();
  };
  const relieve = (): void => {
    closing.closeAll();
    closeUnused(connections);
  };
  return {
    port,
    close,
    canHold: true,
    relieve,
    hold: () => {
      if (!acceptHold.begin()) close();
      relieve();
    },
    pause: () => {
      close();
      relieve();
    },
    resume: async () => {
      acceptHold.end();
      server ??= await listen(address, port, accept);
      file = socketFileOf(address);
    },
  };
}

interface AcceptingParts extends AcceptorParts {
  readonly closing: ClosingQueue;
  /** Decides when the bytes of a connection are passed on. */
  readonly steps: SenderTurns;
}

async function listen(
  address: ListenAddress,
  port: number,
  accept: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => {
    // An error is followed by "close", which is handled.
    socket.on("error", () => {});
    if (address.socketMode !== undefined) nameUnixPeer(socket);
    accept(socket);
  });
  const { host } = address;
  const path = socketPathOf(host);
  withSocketMode(address, () => server.listen(path === undefined ? { host, port } : { path }));
  await once(server, "listening");
  return server;
}

/** Returns 0 for a Unix socket. */
function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Closes connections without a request: exporters send one as soon as they are connected. */
function closeUnused(connections: ConnectionTable): void {
  for (const connection of connections) {
    if (!connection.hasBegun) connection.close();
  }
}

function begin(socket: Socket, parts: AcceptingParts): void {
  const { remoteAddress: address = "" } = socket;
  const { connections } = parts;
  const note: AdmitParts["note"] = (problem) =>
    parts.problems.note({ protocol: "grpc", address, ...problem });
  const connection = new Connection(socket, (reason) => note({ reason }));
  const refusal = connections.refusalOf(address);
  const closed = refusal === undefined ? undefined : connections.makeRoom(refusal, address);
  if (closed !== undefined) parts.closing.add(closed);
  if (refusal !== undefined) note({ reason: refusal, address: closed?.address ?? address });
  if (refusal === undefined || closed !== undefined) admit(connection, { ...parts, note });
  else socket.destroy();
}

interface AdmitParts extends AcceptingParts {
  readonly note: (problem: Pick<Problem, "reason" | "detail"> & { address?: string }) => void;
}

function admit(connection: Connection, parts: AdmitParts): void {
  const { socket } = connection;
  const { clock, connections, limits, pace } = parts;
  connections.add(connection);
  const cancel = clock.schedule(limits.firstRequestMs, () => requireRequest(connection, parts));
  socket.once("close", () => {
    cancel();
    connections.remove(connection);
    pace.noteClosed(garbageOf(connection), connection.droppedBytes);
  });
  const { tls } = parts;
  if (tls === undefined) return greet(socket, connection, parts);
  secureSocket(socket, {
    tls,
    protocols: ["h2"],
    secured: (secure) => greet(secure, connection, parts),
    failed: (problem) => {
      connection.hasBegun = true;
      parts.note(problem);
    },
  });
}

/** Finds out which protocol the peer speaks within the connection. */
function greet(socket: Socket, connection: Connection, parts: AdmitParts): void {
  socket.once("finish", () => {
    if (!socket.readableEnded) destroyAfter(LINGER_MS, socket, parts.clock);
  });
  socket.once("data", () => connection.advance("unfinished"));
  readOpening(socket, (opening, head) => {
    if (opening === "http2") {
      parts.connections.identify(connection);
      return parts.admit(pacedSocket(socket, connection, parts));
    }
    connection.hasBegun = true;
    const problem = misdirectedProblem(opening, head);
    parts.note(problem);
    socket.end(misdirectedAnswer(problem, { ...parts, head }));
  });
}

/** The garbage of a connection in addition to that of its requests, most of it HTTP/2's. */
const CONNECTION_GARBAGE_BYTES = 32 * 1024;
/** That of one that has sent nothing: twice as much as its objects take in the heap. */
const SILENT_GARBAGE_BYTES = 8 * 1024;

function garbageOf({ stage }: Connection): number {
  return stage === "silent" ? SILENT_GARBAGE_BYTES : CONNECTION_GARBAGE_BYTES;
}

/** The bytes of each connection that may wait without a charge: a small request is soon read. */
const FREE_WAITING_BYTES = 32 * 1024;

/** Charges the bytes that wait to be read or sent to the budget, like a request. */
function pacedSocket(
  socket: Socket,
  connection: Connection,
  { budget, clock, steps }: AdmitParts,
): PacedSocket {
  let waiting: OpenRequest | undefined;
  const held = (bytes: number): void => {
    if (waiting !== undefined) budget.end(waiting);
    const isFree = bytes <= FREE_WAITING_BYTES;
    waiting = isFree ? undefined : budget.begin(connection, bytes);
  };
  socket.once("close", () => held(0));
  return new PacedSocket(socket, {
    turns: steps,
    clock,
    held,
    excessive: () => connection.excessive(),
    leaving: () => void (connection.isLeaving = true),
  });
}

function requireRequest(connection: Connection, { note }: AdmitParts): void {
  if (connection.hasBegun) return;
  connection.close();
  note({ reason: "first_request_timeout" });
}

const REASONS = { http1: "http_on_grpc", tls: "tls", other: "not_http2" } as const;

/** Matches `POST /v1/traces?a=b HTTP/1.1` without the query, which may contain a secret. */
const REQUEST_LINE = /^([A-Z]+ [^\s?]*)/;

/** Returns the problem to record for a connection that does not start with HTTP/2. */
function misdirectedProblem(
  opening: Exclude<Opening, "http2">,
  head: Buffer,
): Pick<Problem, "reason" | "detail"> {
  const [line = ""] = REQUEST_LINE.exec(textOf(head)) ?? [];
  return { reason: REASONS[opening], detail: opening === "http1" ? line : "" };
}

/**
 * Returns an answer in HTTP/1.1 with a `google.rpc.Status` in the format of the request, as OTLP
 * requires. Peers that speak TLS or another protocol get it as well: most clients show the first
 * line that they cannot parse, and some recognise it as HTTP.
 */
function misdirectedAnswer(
  { reason }: Pick<Problem, "reason">,
  { problems, tls, head }: Pick<AcceptorParts, "problems" | "tls"> & { readonly head: Buffer },
): Buffer {
  const security = tls === undefined ? "without TLS" : "with TLS";
  const message = `this port speaks gRPC ${security}, over HTTP/2: ${problems.hint(reason)}`;
  const answer = { outcome: "misdirected", message } as const;
  const isProtobuf = /^content-type: *application\/x-protobuf\b/im.test(textOf(head));
  const body = Buffer.from(isProtobuf ? encodeStatus(answer) : statusJson(answer));
  const lines = [
    `HTTP/1.1 ${STATUS_TABLE[answer.outcome].httpStatus} Misdirected Request`,
    `Content-Type: ${isProtobuf ? "application/x-protobuf" : "application/json"}`,
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}

function textOf(head: Buffer): string {
  return head.toString("latin1", 0, MAX_HEAD_BYTES);
}

/** The size of a head that is examined; further bytes are ignored. */
const MAX_HEAD_BYTES = 4096;
