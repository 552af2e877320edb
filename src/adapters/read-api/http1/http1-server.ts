import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { ListenAddress } from "../../../config/config.ts";
import { socketPathOf } from "../../../domain/text/host-address.ts";
import { AcceptHold } from "../../listening/accept-hold.ts";
import type { PausableListener } from "../../listening/descriptor-guard.ts";
import type { FairTurns } from "../../listening/fair-turns.ts";
import { type HandshakeProblem, secureSocket } from "../../listening/secure-socket.ts";
import type { ServerTls } from "../../listening/server-tls.ts";
import {
  closeSocket,
  nameUnixPeer,
  type SocketFile,
  socketFileOf,
  withSocketMode,
} from "../../listening/unix-socket.ts";
import { type Connection, type ConnectionParts, serveConnection } from "./connection.ts";
import { SenderTurns } from "../../listening/sender-turns.ts";
import { destroyAfter } from "../../listening/socket-deadline.ts";

export interface Http1ServerParts extends Omit<
  ConnectionParts,
  "isStopping" | "answered" | "turns"
> {
  /** Shared with every other listener. */
  readonly turns: Pick<FairTurns, "hasTime" | "queue">;
  readonly address: ListenAddress;
  /** Undefined for a port without TLS. */
  readonly tls?: ServerTls | undefined;
  /** Called for each peer that fails a handshake of TLS. */
  readonly handshakeFailed?: (problem: HandshakeProblem, address: string) => void;
}

export interface Http1Server extends PausableListener {
  /** The port in use, also when the configured port is 0. */
  readonly port: number;
  /** Rejects if the server cannot listen; `code` is `EADDRINUSE` if the port is taken. */
  readonly listening: Promise<void>;
  readonly requestsInFlight: number;
  /** Accepts no more connections, and resolves when the answers under way have been sent. */
  stop(): Promise<void>;
  /** Closes all connections. */
  abort(): void;
}

/** The time for the head of a request, from its first byte, and for a handshake of TLS. */
export const HEAD_TIMEOUT_MS = 10_000;
const SWEEP_MS = 1_000;

/** The connections of a server, and whether it stops. */
interface State {
  readonly parts: Http1ServerParts;
  readonly connections: Set<Connection>;
  /** The sockets whose handshake has not ended. */
  readonly handshakes: Set<Socket>;
  readonly turns: SenderTurns;
  readonly stopped: PromiseWithResolvers<void>;
  isStopping: boolean;
  server: Server | undefined;
  /** The file of a server at a Unix socket. */
  file: SocketFile | undefined;
}

/**
 * Starts a server of HTTP/1.1 in which no connection takes more than its share: each has one
 * request at a time and one chunk of a response under way, and gets one turn in each round of the
 * event loop.
 *
 * Neither server of Bun 1.4.5 can do this (`test/quirks/bun.test.ts`). `Bun.serve` breaks off a
 * response when another request arrives on its connection. `node:http` starts all requests at once
 * that a socket has, tens of thousands of them, and holds all their responses.
 */
export function startHttp1Server(parts: Http1ServerParts): Http1Server {
  const stopped = Promise.withResolvers<void>();
  const connections = new Set<Connection>();
  const state: State = {
    parts,
    connections,
    handshakes: new Set(),
    turns: new SenderTurns(parts.turns),
    stopped,
    isStopping: false,
    server: undefined,
    file: undefined,
  };
  const listening = listen(state, parts.address.port);
  // Bun binds at once, and reports an error later.
  const bound = state.server?.address() as AddressInfo | null;
  const port = bound?.port ?? parts.address.port;
  const endSweep = parts.clock.repeat(SWEEP_MS, () => dropSlowHeads(state));
  // The caller may look at an error later.
  listening.catch(endSweep);
  void stopped.promise.then(endSweep);
  return {
    port,
    listening,
    get requestsInFlight() {
      return [...connections].filter(({ gone }) => gone !== undefined).length;
    },
    ...pausing(state, port),
    stop: async () => await stop(state),
    abort: () => {
      void stop(state);
      for (const { socket } of connections) socket.destroy();
    },
  };
}

function pausing(state: State, port: number): PausableListener {
  const acceptHold = new AcceptHold(port);
  return {
    canHold: true,
    relieve: () => closeUnused(state),
    hold: () => {
      if (!acceptHold.begin()) stopListening(state);
    },
    pause: () => {
      acceptHold.end();
      stopListening(state);
      closeUnused(state);
    },
    resume: async () => {
      acceptHold.end();
      if (state.server === undefined && !state.isStopping) await listen(state, port);
    },
  };
}

async function listen(state: State, port: number): Promise<void> {
  const { address, tls } = state.parts;
  // A peer that closes its side is answered nevertheless; TLS ends a connection as a whole.
  const options = { noDelay: true, allowHalfOpen: tls === undefined };
  const server = createServer(options, (socket) => accept(state, socket));
  state.server = server;
  const path = socketPathOf(address.host);
  const place = path === undefined ? { host: address.host, port } : { path };
  withSocketMode(address, () => server.listen(place));
  try {
    await once(server, "listening");
    state.file = socketFileOf(address);
  } catch (error) {
    state.server = undefined;
    throw error;
  }
}

function stopListening(state: State): void {
  closeSocket(state.file, () => state.server?.close());
  state.server = state.file = undefined;
}

function accept(state: State, socket: Socket): void {
  const { tls, address } = state.parts;
  if (address.socketMode !== undefined) nameUnixPeer(socket);
  if (tls === undefined) serve(state, socket);
  else shakeHands(state, socket, tls);
}

/** Gives the peer the time of a head for its handshake. */
function shakeHands(state: State, raw: Socket, tls: ServerTls): void {
  const { handshakes, parts } = state;
  const { remoteAddress = "" } = raw;
  const lift = destroyAfter(HEAD_TIMEOUT_MS, raw, parts.clock);
  const ended = (): void => void handshakes.delete(raw);
  handshakes.add(raw);
  // An error is followed by "close".
  raw.once("close", ended).on("error", () => {});
  secureSocket(raw, {
    tls,
    // HTTP/2 is for clients of gRPC only, which learn which port they need.
    protocols: ["http/1.1", "h2"],
    secured: (socket) => {
      lift();
      ended();
      serve(state, socket);
    },
    failed: (problem) => parts.handshakeFailed?.(problem, remoteAddress),
  });
}

function serve(state: State, socket: Socket): void {
  const { connections } = state;
  const connection = serveConnection(socket, {
    ...state.parts,
    turns: state.turns,
    isStopping: () => state.isStopping,
    answered: () => endIfDone(state),
  });
  connections.add(connection);
  socket.once("close", () => {
    connections.delete(connection);
    endIfDone(state);
  });
}

/** Closes connections that wait for their next request, or for the end of their handshake. */
function closeUnused({ connections, handshakes }: State): void {
  for (const socket of handshakes) socket.destroy();
  for (const { isBusy, socket } of connections) {
    if (!isBusy) socket.destroy();
  }
}

function dropSlowHeads({ connections, parts }: State): void {
  const latestMs = parts.clock.monotonicMs() - HEAD_TIMEOUT_MS;
  for (const { headSinceMs = latestMs + 1, socket } of connections) {
    if (headSinceMs <= latestMs) socket.destroy();
  }
}

async function stop(state: State): Promise<void> {
  state.isStopping = true;
  stopListening(state);
  closeUnused(state);
  endIfDone(state);
  await state.stopped.promise;
}

function endIfDone({ isStopping, connections, stopped }: State): void {
  if (isStopping && connections.values().every(({ isBusy }) => !isBusy)) stopped.resolve();
}
