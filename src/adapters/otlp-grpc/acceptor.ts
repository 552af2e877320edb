import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { ListenAddress, LimitsConfig } from "../../config/config.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Problem, ProblemLog } from "../../ports/problem-log.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import { Connection, type ConnectionTable } from "./connection-table.ts";
import { misdirectedAnswer, misdirectedProblem, readOpening } from "./opening.ts";

interface AcceptorParts {
  readonly address: ListenAddress;
  readonly limits: LimitsConfig;
  readonly connections: ConnectionTable;
  /** Hands the socket on to HTTP/2. */
  readonly admit: (socket: Socket) => void;
  /** Records connections that are closed or refused. */
  readonly problems: ProblemLog;
  readonly clock: TimerClock;
}

export interface Acceptor extends PausableListener {
  /** The port in use, also when the configured port is 0. */
  readonly port: number;
  /** Stops accepting; open connections stay open. */
  close(): void;
}

/** Time for a peer to read the last bytes and to close its side. */
const LINGER_MS = 1000;

/**
 * Starts the listening socket in front of grpc-js, which has no limit of connections.
 * Rejects when it cannot listen: the error's `code` is `EADDRINUSE` when the port is taken.
 */
export async function startAcceptor(parts: AcceptorParts): Promise<Acceptor> {
  let server: Server | undefined = await listen(parts, parts.address.port);
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server?.close();
    server = undefined;
  };
  const relieve = () => closeUnused(parts.connections);
  return {
    port,
    close,
    relieve,
    pause: () => {
      close();
      relieve();
    },
    resume: async () => {
      server ??= await listen(parts, port);
    },
  };
}

async function listen(parts: AcceptorParts, port: number): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => accept(socket, parts));
  server.listen({ host: parts.address.host, port });
  await once(server, "listening");
  return server;
}

/** Closes connections without a request: exporters send one as soon as they are connected. */
function closeUnused(connections: ConnectionTable): void {
  for (const connection of connections) {
    if (!connection.hasBegun) connection.close();
  }
}

function accept(socket: Socket, parts: AcceptorParts): void {
  // An error is followed by "close", which is handled.
  socket.on("error", () => {});
  const { remoteAddress: address = "" } = socket;
  const refusal = parts.connections.refusalOf(address);
  const note = (problem: Pick<Problem, "reason" | "detail">): void =>
    parts.problems.note({ protocol: "grpc", address, ...problem });
  const noted = (reason: "in_flight_bytes"): void => note({ reason });
  if (refusal === undefined) return admit(new Connection(socket, noted), { ...parts, note });
  socket.destroy();
  note({ reason: refusal });
}

interface AdmitParts extends AcceptorParts {
  readonly note: (problem: Pick<Problem, "reason" | "detail">) => void;
}

function admit(connection: Connection, parts: AdmitParts): void {
  const { socket } = connection;
  const { clock, connections, limits } = parts;
  connections.add(connection);
  const cancel = clock.schedule(limits.firstRequestMs, () => requireRequest(connection, parts));
  socket.once("close", () => {
    cancel();
    connections.remove(connection);
  });
  socket.once("finish", () => linger(socket, clock));
  readOpening(socket, (opening, head) => {
    if (opening === "http2") parts.admit(socket);
    else turnAway(connection, misdirectedProblem(opening, head), { ...parts, head });
  });
}

/** Answers a peer that speaks another protocol. What it sends meanwhile is discarded. */
function turnAway(
  connection: Connection,
  problem: Pick<Problem, "reason" | "detail">,
  { problems, note, head }: AdmitParts & { readonly head: Buffer },
): void {
  connection.hasBegun = true;
  note(problem);
  connection.socket.end(misdirectedAnswer(problems, problem, head));
}

function requireRequest(connection: Connection, { note }: AdmitParts): void {
  if (connection.hasBegun) return;
  connection.close();
  note({ reason: "first_request_timeout" });
}

/**
 * Destroys a socket some time after its last byte. A session that ends (idle, too old, no answer to
 * a ping, shutdown) only sends its FIN in Bun, so a peer that sends none back would keep the socket
 * open without limit. Node destroys the socket: https://github.com/oven-sh/bun/pull/38195.
 */
function linger(socket: Socket, clock: TimerClock): void {
  socket.once(
    "close",
    clock.schedule(LINGER_MS, () => socket.destroy()),
  );
}
