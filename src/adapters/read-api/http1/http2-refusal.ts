import { createServer, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** The time for a peer to read the response. */
const LINGER_MS = 1_000;

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
): (socket: Socket) => void {
  const server = createServer({ settings: { maxConcurrentStreams: 1, maxHeaderListSize: 16384 } });
  server.on("sessionError", () => {});
  return (socket) => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
    const { remoteAddress = "" } = socket;
    server.once("session", (session) => {
      session.on("error", () => {});
      session.once("stream", (stream, headers) => {
        const { ":method": method = "", ":path": path = "/", "content-type": type = "" } = headers;
        void respond(stream, answer({ method, path, contentType: type }, remoteAddress));
      });
    });
    server.emit("connection", socket);
    socket.resume();
  };
}

async function respond(stream: ServerHttp2Stream, response: Response): Promise<void> {
  stream.on("error", () => {});
  const body = await response.bytes();
  if (stream.destroyed) return;
  const headers = { ":status": response.status, ...response.headers.toJSON() };
  stream.respond(headers, { endStream: body.length === 0 });
  if (body.length > 0) stream.end(body);
  stream.session?.close();
}
