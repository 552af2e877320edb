import { afterEach } from "bun:test";
import { connect, type Socket } from "node:net";
import {
  type Http1Server,
  type Http1ServerParts,
  startHttp1Server,
} from "../../../src/adapters/read-api/http1/http1-server.ts";
import { STREAMED } from "../../../src/adapters/read-api/http1/send-response.ts";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { HandMovedClock } from "../fakes/hand-moved-clock.ts";

interface RunningHttp1Server {
  readonly server: Http1Server;
  /** Counts of requests, and of the chunks that were produced. */
  readonly seen: { begun: number; gone: number; chunks: number; cancelled: number };
  readonly clock: HandMovedClock;
}

interface Http1Peer {
  readonly socket: Socket;
  /** Resolves to everything that was received. */
  readonly closed: Promise<string>;
  /** Resolves to what has been received when the condition is met. */
  readonly until: (isSo: (text: string) => boolean) => Promise<string>;
}

const servers: Http1Server[] = [];
const sockets: Socket[] = [];

/** Closes all servers and connections of a test after it. */
export function stopHttp1ServersAfterEach(): void {
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.abort();
  });
}

export const CHUNK = new Uint8Array(64 * 1024).fill(0x61);

/** Starts a server that answers `/large` in 200 chunks, `/wait` never, and all else at once. */
export function runHttp1Server(options: Partial<Http1ServerParts> = {}): RunningHttp1Server {
  const clock = new HandMovedClock();
  const seen = { begun: 0, gone: 0, chunks: 0, cancelled: 0 };
  const body = (chunkCount: number) =>
    new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          await new Promise((resolve) => void setImmediate(resolve));
          if (seen.chunks === chunkCount * seen.begun) return controller.close();
          seen.chunks += 1;
          controller.enqueue(CHUNK.slice());
        },
        cancel: () => void (seen.cancelled += 1),
      },
      { highWaterMark: 0 },
    );
  const server = startHttp1Server({
    address: { host: "127.0.0.1", port: 0 },
    answer: async ({ url, signal }) => {
      seen.begun += 1;
      signal.addEventListener("abort", () => void (seen.gone += 1));
      const { pathname } = new URL(url, "http://localhost");
      if (pathname === "/wait") return await new Promise<never>(() => {});
      if (pathname === "/large") return new Response(body(200), { headers: STREAMED });
      return new Response(`answer ${seen.begun}`);
    },
    takesBody: () => false,
    malformed: (fault) => new Response(fault, { status: 400 }),
    received: () => {},
    clock,
    turns: new FairTurns(clock),
    http2: (socket) => socket.end("HTTP/2"),
    ...options,
  });
  servers.push(server);
  return { server, seen, clock };
}

export async function openPeer({ port }: Http1Server): Promise<Http1Peer> {
  // Half open, so that a peer that has closed its side still reads.
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  socket.once("end", () => socket.end());
  sockets.push(socket);
  let received = "";
  let wake: (() => void) | undefined;
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => {
    received += bytes.toString("latin1");
    wake?.();
  });
  await new Promise<void>((resolve) => void socket.once("connect", () => resolve()));
  const until = (isSo: (text: string) => boolean): Promise<string> =>
    new Promise((resolve) => {
      wake = () => void (isSo(received) && resolve(received));
      wake();
    });
  return { socket, closed, until };
}

export async function untilSo(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => void setImmediate(resolve));
}

/** Resolves when both sockets are full, and nothing moves any more. */
export async function untilStill(value: () => number): Promise<void> {
  for (let [last, rounds] = [-1, 0]; rounds < 1_000; rounds += 1) {
    if (value() !== last) [last, rounds] = [value(), 0];
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

/** Returns a request without a body. */
export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
