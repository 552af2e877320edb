import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";

const PIECE_BYTES = 64 * 1024;

export interface WrittenRequest {
  /** The request line and the header lines. */
  readonly head: readonly string[];
  readonly body: Uint8Array;
}

export interface WrittenEnd {
  /** Whether the other side accepted everything written. */
  readonly isWritten: boolean;
  /** Everything received until the other side closed; empty if it reset the connection. */
  readonly answer: string;
}

/**
 * Sends a request and reads nothing until all of it is written, like nginx; then reads to the end.
 */
export async function writeThenRead(port: number, request: WrittenRequest): Promise<WrittenEnd> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const closed = new Promise<false>((resolve) => socket.once("close", () => resolve(false)));
  socket.on("error", () => {});
  const isWritten = await Promise.race([writeAll(socket, request), closed]);
  const answer = isWritten ? await text(socket).catch(() => "") : "";
  socket.destroy();
  return { isWritten, answer };
}

async function writeAll(socket: Socket, { head, body }: WrittenRequest): Promise<boolean> {
  const bytes = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    const isTaken = await write(socket, bytes.subarray(start, start + PIECE_BYTES));
    if (!isTaken) return false;
  }
  return true;
}

function write(socket: Socket, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    socket.write(piece, (error) => resolve(error === null || error === undefined));
  });
}
