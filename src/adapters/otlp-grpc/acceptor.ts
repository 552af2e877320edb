import { timerMs } from "../../domain/time.ts";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { ListenAddress, LimitsConfig } from "../../config/config.ts";
import type { Problem, ProblemLog } from "../../ports/problem-log.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import { Connection, type ConnectionTable } from "./connection-table.ts";
import { misdirectedAnswer, misdirectedProblem, readOpening } from "./opening.ts";

interface FrontDoorParts {
  readonly address: ListenAddress;
  readonly limits: LimitsConfig;
  readonly connections: ConnectionTable;
  /** Hands the socket on to HTTP/2. */
  readonly admit: (socket: Socket) => void;
  /** Where connections are recorded that are closed, or not taken in. */
  readonly problems: ProblemLog;
}

interface FrontDoor extends PausableListener {
  /** The port in use, also where the address asked for any. */
  readonly port: number;
  /** No more connections; those that are open stay. */
  close(): void;
}

/** For a peer to read our last bytes, and to close its side. */
const LINGER_MS = 1000;

/**
 * Our own listening socket, in front of grpc-js, which has no limit of connections.
 * Rejects when it cannot listen: the error's `code` is `EADDRINUSE` when the port is taken.
 */
export async function openFrontDoor(parts: FrontDoorParts): Promise<FrontDoor> {
  let server: Server | undefined = await listen(parts, parts.address.port);
  const port = portOf(server);
  const close = (): void => {
    server?.close();
    server = undefined;
  };
  const relieve = () => closeSilent(parts.connections);
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

async function listen(parts: FrontDoorParts, port: number): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => receive(socket, parts));
  server.listen({ host: parts.address.host, port });
  await once(server, "listening");
  return server;
}

/** Those that have not begun a request: exporters do so at once. */
function closeSilent(connections: ConnectionTable): void {
  for (const connection of connections) {
    if (!connection.hasBegun) connection.close();
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function receive(socket: Socket, parts: FrontDoorParts): void {
  // Errors end in a close, which is all we want to know.
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

interface AdmitParts extends FrontDoorParts {
  readonly note: (problem: Pick<Problem, "reason" | "detail">) => void;
}

function admit(connection: Connection, parts: AdmitParts): void {
  const { socket } = connection;
  parts.connections.add(connection);
  const { firstRequestMs } = parts.limits;
  const patience = setTimeout(() => expectRequest(connection, parts), timerMs(firstRequestMs));
  socket.once("close", () => {
    clearTimeout(patience);
    parts.connections.remove(connection);
  });
  socket.once("finish", () => linger(socket));
  readOpening(socket, (opening, head) => {
    if (opening === "http2") parts.admit(socket);
    else turnAway(connection, misdirectedProblem(opening, head), { ...parts, head });
  });
}

/** What it still sends is thrown away, until it has read the answer or its time is up. */
function turnAway(
  connection: Connection,
  problem: Pick<Problem, "reason" | "detail">,
  { problems, note, head }: AdmitParts & { readonly head: Buffer },
): void {
  connection.hasBegun = true;
  note(problem);
  connection.socket.end(misdirectedAnswer(problems, problem, head));
}

function expectRequest(connection: Connection, { note }: AdmitParts): void {
  if (connection.hasBegun) return;
  connection.close();
  note({ reason: "first_request_timeout" });
}

/**
 * A session that ends (idle, too old, no answer to a ping, shutdown) only sends its FIN in Bun, and
 * a peer that does not send one back would keep the socket for ever. Node destroys the socket, and
 * so may Bun in time: https://github.com/oven-sh/bun/pull/38195.
 */
function linger(socket: Socket): void {
  const patience = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(patience));
}
