import { createServer, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { TimerClock } from "../../../ports/clock.ts";
import { destroyAfter } from "../../listening/socket-deadline.ts";

/** The time for a peer to read the response. */
const LINGER_MS = 1_000;

const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n");

/** Reports whether a connection starts with HTTP/2, whose preface clients send in one piece. */
export function isHttp2(bytes: Buffer): boolean {
  return bytes.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE);
}

export interface Http2Request {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
}

/**
 * Returns a function that answers the first request of an HTTP/2 connection, and closes it. gRPC
 * clients open with HTTP/2, and so learn which port they need.
 */
export function refuseHttp2(
  answer: (request: Http2Request, address: string) => Response,
  clock: TimerClock,
): (socket: Socket) => void {
  const server = createServer({ settings: { maxConcurrentStreams: 1, maxHeaderListSize: 16384 } });
  server.on("session", (session) => {
    const { remoteAddress = "" } = session.socket;
    session.on("error", ignore);
    session.once("stream", (stream, headers) => {
      const { ":method": method = "", ":path": path = "/", "content-type": type = "" } = headers;
      void respond(stream, answer({ method, path, contentType: type }, remoteAddress));
    });
  });
  return (socket) => {
    destroyAfter(LINGER_MS, socket, clock);
    server.emit("connection", socket);
    socket.resume();
  };
}

async function respond(stream: ServerHttp2Stream, response: Response): Promise<void> {
  stream.on("error", ignore);
  const body = await response.bytes();
  if (stream.destroyed) return;
  const headers = { ":status": response.status, ...response.headers.toJSON() };
  stream.respond(headers, { endStream: body.length === 0 });
  if (body.length > 0) stream.end(body);
  stream.session?.close();
}

/** Takes an error of a peer, which is followed by "close". */
function ignore(): void {}
