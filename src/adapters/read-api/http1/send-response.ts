import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { releaseBytes } from "../../../application/ring/release-bytes.ts";

/** What a request says about the form of its response. */
export interface ResponseForm {
  readonly method: string;
  readonly isHttp11?: boolean;
  /** Whether the connection ends with this response. */
  readonly isLast: boolean;
}

/** The header of a response whose body is produced while it is sent. */
export const STREAMED = { "Transfer-Encoding": "chunked" } as const;

/**
 * Sends a response, and takes the next chunk of its body only when the peer has accepted the one
 * before. Resolves to false if the response could not be sent whole: its connection is broken then.
 */
export async function sendResponse(
  socket: Socket,
  response: Response,
  form: ResponseForm,
): Promise<boolean> {
  const { headers } = response;
  const isStreamed = headers.get("transfer-encoding") === "chunked";
  if (!isStreamed) return await sendWhole(socket, response, form);
  if (form.isHttp11 === false) headers.delete("transfer-encoding");
  if (!(await write(socket, headText(response, form))) || form.method === "HEAD") {
    await response.body?.cancel();
    return !socket.destroyed;
  }
  return await sendChunks(socket, response.body!.getReader(), form.isHttp11 !== false);
}

async function sendWhole(socket: Socket, response: Response, form: ResponseForm): Promise<boolean> {
  const body = await response.bytes();
  response.headers.set("Content-Length", String(body.length));
  const head = Buffer.from(headText(response, form), "latin1");
  return await write(socket, form.method === "HEAD" ? head : Buffer.concat([head, body]));
}

function headText({ status, headers }: Response, { isLast }: ResponseForm): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  headers.forEach((value, name) => {
    text += `${name}: ${value}\r\n`;
  });
  const connection = isLast ? "Connection: close\r\n" : "";
  return `${text}Date: ${new Date().toUTCString()}\r\n${connection}\r\n`;
}

async function sendChunks(
  socket: Socket,
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">,
  isChunked: boolean,
): Promise<boolean> {
  const leave = (): void => void reader.cancel().catch(() => {});
  socket.once("close", leave);
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one chunk at a time
      const { value: chunk, done } = await reader.read();
      if (done) break;
      if (isChunked) socket.write(`${chunk.length.toString(16)}\r\n`);
      // oxlint-disable-next-line no-await-in-loop -- the next chunk waits for this one
      const isSent = await write(socket, chunk);
      releaseBytes(chunk);
      if (!isSent) return false;
      if (isChunked) socket.write("\r\n");
    }
    return !isChunked || (await write(socket, "0\r\n\r\n"));
  } catch {
    // A reset, because some clients take an orderly end for the end of the response.
    socket.resetAndDestroy();
    return false;
  } finally {
    socket.off("close", leave);
    // Ends a body that has not been read to its end.
    leave();
  }
}

/** Resolves when the system has accepted the bytes, or to false if the connection is gone. */
function write(socket: Socket, bytes: string | Uint8Array): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    // Called with an error if the socket is destroyed meanwhile.
    socket.write(bytes, (error?: Error | null) => resolve(error === undefined || error === null));
  });
}
