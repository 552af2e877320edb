import { connect, type Socket } from "node:net";

export interface HalfSent {
  /** The declared length of the body; without it, pieces are sent chunked. */
  readonly declaredBytes?: number;
  readonly sentBytes: number;
  readonly path?: string;
}

/** An export over HTTP/1.1 that has been sent only in part. */
export interface HalfSentBody extends Disposable {
  /** Resolves to the status line and everything received with it. */
  readonly answer: Promise<string>;
  /** Resolves when the other side has closed or reset the connection. */
  readonly closed: Promise<void>;
  send(bytes: Uint8Array): void;
}

/** Resolves when the head and the bytes have been passed to the system. */
export async function sendHalfBody(port: number, half: HalfSent): Promise<HalfSentBody> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const answer = Promise.withResolvers<string>();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.once("data", (bytes: Buffer) => answer.resolve(bytes.toString("latin1")));
  socket.on("error", () => {});
  socket.once("close", () => answer.resolve("closed without an answer"));
  await write(socket, headOf(half));
  await write(socket, bodyOf(half));
  return {
    answer: answer.promise,
    closed,
    send: (bytes) => void socket.write(bytes),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function headOf({ declaredBytes, path = "/v1/traces" }: HalfSent): Buffer {
  const length =
    declaredBytes === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${declaredBytes}`;
  const lines = [`POST ${path} HTTP/1.1`, "Host: localhost", length];
  return Buffer.from(`${lines.join("\r\n")}\r\nContent-Type: application/x-protobuf\r\n\r\n`);
}

/** Returns zeros, which are a malformed request if they are parsed as one. */
function bodyOf({ declaredBytes, sentBytes }: HalfSent): Buffer {
  const zeros = Buffer.alloc(sentBytes);
  if (declaredBytes !== undefined) return zeros;
  const size = Buffer.from(`${sentBytes.toString(16)}\r\n`);
  return Buffer.concat([size, zeros, Buffer.from("\r\n")]);
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
}
