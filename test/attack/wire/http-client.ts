import { connect, type Socket } from "node:net";

/**
 * A well-behaved client of HTTP/1.1 with at most one connection and one request at a time. A
 * library would open a second connection when the first is slow, and so hide the effect to be
 * measured.
 */
export class HttpClient {
  private readonly port: number;
  private socket: Socket | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(port: number) {
    this.port = port;
  }

  /**
   * Sends a request. Resolves to the status of the response; rejects if the connection ends first.
   */
  request(request: Uint8Array): Promise<number> {
    const answer = this.queue.then(() => this.exchange(request));
    this.queue = answer.catch(() => {});
    return answer;
  }

  close(): void {
    this.socket?.destroy();
  }

  private exchange(request: Uint8Array): Promise<number> {
    if (this.socket === undefined || this.socket.destroyed) this.socket = open(this.port);
    return exchangeOver(this.socket, request);
  }
}

/** Sends one request on its own connection. */
export async function requestOnce(port: number, request: Uint8Array): Promise<number> {
  const socket = open(port);
  try {
    return await exchangeOver(socket, request);
  } finally {
    socket.destroy();
  }
}

function open(port: number): Socket {
  return connect({ port, host: "127.0.0.1", noDelay: true }).on("error", () => {});
}

async function exchangeOver(socket: Socket, request: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let text = "";
  const take = (bytes: Buffer): void => {
    text += bytes.toString("latin1");
    const status = statusWhenWhole(text);
    if (status !== undefined) resolve(status);
  };
  const fail = (error: NodeJS.ErrnoException): void => reject(error);
  const end = (): void => reject(new Error("closed"));
  socket.on("data", take).once("error", fail).once("close", end);
  socket.write(request);
  try {
    return await promise;
  } finally {
    socket.off("data", take).off("error", fail).off("close", end);
  }
}

/** Returns the status once the response is complete. */
function statusWhenWhole(text: string): number | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd).toLowerCase();
  const bodyChars = text.length - headEnd - 4;
  const lengthBytes = Number(/^content-length: (\d+)$/m.exec(head)?.[1] ?? 0);
  const isChunked = /^transfer-encoding: chunked$/m.test(head);
  const isWhole = isChunked ? text.endsWith("\r\n0\r\n\r\n") : bodyChars >= lengthBytes;
  return isWhole ? Number(head.slice(9, 12)) : undefined;
}
