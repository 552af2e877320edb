import { connect } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { EXPORT_PATH } from "./grpc-call.ts";

/** The end of a call, in terms of HTTP/2. */
export interface Http2End {
  readonly httpStatus: number;
  /** The gRPC status; undefined if there was none. */
  readonly grpcStatus: number | undefined;
  readonly grpcMessage: string;
  /** The encodings that the server offers instead of an unsupported one. */
  readonly acceptEncoding: string | undefined;
  readonly body: Buffer;
}

export interface Http2Call {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces written one after the other; the test decides where messages begin and end. */
  readonly pieces?: readonly Uint8Array[];
}

/** Opens a session without the message handling of a gRPC library. */
export function openHttp2(port: number): ClientHttp2Session {
  // Errors are reported by the streams, and by the expectations of the test.
  return connect(`http://127.0.0.1:${port}`).on("error", () => {});
}

/** Begins a call whose sending half stays open. */
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

/** Makes a complete call. */
export function callHttp2(session: ClientHttp2Session, call: Http2Call = {}): Promise<Http2End> {
  const stream = beginCall(session, call);
  stream.end();
  return endOf(stream);
}

/** Resolves when the server has ended its half; ours may still be open. */
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

/**
 * Resolves when the server has read everything sent before, except data that waits for its window.
 */
export function pong(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => void session.ping(() => resolve()));
}
