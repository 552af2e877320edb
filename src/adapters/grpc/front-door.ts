import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { once } from "node:events";
import type { ListenAddress, LimitsConfig } from "../../config.ts";
import { Connection } from "./connection.ts";
import type { ConnectionTable, Refusal } from "./connection-table.ts";

/**
 * Why we closed a connection: too many in all, too many from its address, no request within the
 * time for the first one, too many bytes of unfinished messages.
 */
export type ClosingReason = Refusal | "first_request_timeout" | "in_flight_bytes";

export interface FrontDoorParts {
  readonly address: ListenAddress;
  readonly limits: LimitsConfig;
  readonly connections: ConnectionTable;
  /** Hands the socket on to HTTP/2. */
  readonly admit: (socket: Socket) => void;
  /** A connection was closed, or not taken in. */
  readonly refused: (reason: ClosingReason, address: string) => void;
}

export interface FrontDoor {
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
  const server = createServer({ noDelay: true }, (socket) => receive(socket, parts));
  server.listen({ host: parts.address.host, port: parts.address.port });
  await once(server, "listening");
  return { port: portOf(server), close: () => void server.close() };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function receive(socket: Socket, parts: FrontDoorParts): void {
  // Errors end in a close, which is all we want to know.
  socket.on("error", () => {});
  const { remoteAddress: address = "" } = socket;
  const refusal = parts.connections.refusalOf(address);
  if (refusal === undefined) return admit(new Connection(socket, parts.refused), parts);
  socket.destroy();
  parts.refused(refusal, address);
}

function admit(connection: Connection, parts: FrontDoorParts): void {
  const { socket } = connection;
  parts.connections.add(connection);
  const patience = setTimeout(() => expectRequest(connection, parts), parts.limits.firstRequestMs);
  socket.once("close", () => {
    clearTimeout(patience);
    parts.connections.remove(connection);
  });
  socket.once("finish", () => linger(socket));
  parts.admit(socket);
}

function expectRequest(connection: Connection, parts: FrontDoorParts): void {
  if (connection.hasBegun) return;
  connection.close();
  parts.refused("first_request_timeout", connection.address);
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
