import { connect } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { EXPORT_PATH } from "./grpc-call.ts";

/** How a call ended, in the words of HTTP/2. */
export interface Http2End {
  readonly httpStatus: number;
  /** Undefined when there was none. */
  readonly grpcStatus: number | undefined;
  readonly grpcMessage: string;
  /** What the peer is told to use instead, when its encoding is not taken. */
  readonly acceptEncoding: string | undefined;
  readonly body: Buffer;
}

export interface Http2Call {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written one after the other: where a message begins and ends is for the test to say. */
  readonly pieces?: readonly Uint8Array[];
}

/** A session without the care that a gRPC library takes of its messages. */
export function openHttp2(port: number): ClientHttp2Session {
  // Errors are told by the streams, and by what the test expects of the server.
  return connect(`http://127.0.0.1:${port}`).on("error", () => {});
}

/** A call whose sending half stays open. */
export function beginCall(session: ClientHttp2Session, call: Http2Call = {}): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": call.path ?? EXPORT_PATH,
    "content-type": "application/grpc",
    te: "trailers",
    ...call.headers,
  });
  for (const piece of call.pieces ?? []) stream.write(piece);
  return stream.on("error", () => {});
}

/** The whole call, to its end. */
export function callHttp2(session: ClientHttp2Session, call: Http2Call = {}): Promise<Http2End> {
  const stream = beginCall(session, call);
  stream.end();
  return endOf(stream);
}

/** The server's half is over; ours may still be open. */
export async function endOf(stream: ClientHttp2Stream): Promise<Http2End> {
  const found: Record<string, unknown> = {};
  const body: Uint8Array[] = [];
  stream.on("response", (headers) => void Object.assign(found, headers));
  stream.on("trailers", (headers) => void Object.assign(found, headers));
  stream.on("data", (piece: Uint8Array) => body.push(piece));
  await new Promise<void>((resolve) => {
    for (const event of ["end", "close"]) stream.once(event, () => resolve());
  });
  const { "grpc-status": status, "grpc-message": message = "" } = found;
  const { "grpc-accept-encoding": acceptEncoding } = found;
  return {
    httpStatus: Number(found[":status"]),
    grpcStatus: status === undefined ? undefined : Number(status),
    grpcMessage: String(message),
    acceptEncoding: acceptEncoding === undefined ? undefined : String(acceptEncoding),
    body: Buffer.concat(body),
  };
}

/** The server has read what was sent before; data may wait for its window all the same. */
export function pong(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => void session.ping(() => resolve()));
}
