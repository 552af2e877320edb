/** An HTTP client that reads nothing, not even into its own buffer, until told to. */
export interface PausedReader {
  /** Reads until the body contains this; resolves to the body so far. */
  readUntil(end: string): Promise<string>;
  /** Reads until the server closes; resolves to everything received, including chunk heads. */
  readUntilClosed(): Promise<string>;
  close(): void;
}

/** Sends a request. Resolves when the beginning of the response has arrived. */
export async function openPausedReader(port: number, path: string): Promise<PausedReader> {
  const begun = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let received = "";
  let isReading = false;
  let whenReceived = () => begun.resolve();
  const decoder = new TextDecoder();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (opened) => void opened.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
      data: (opened, bytes) => {
        received += decoder.decode(bytes, { stream: true });
        if (received.includes("\r\n\r\n")) whenReceived();
        if (!isReading) opened.pause();
      },
      close: () => closed.resolve(),
    },
  });
  await begun.promise;
  const readUntil = (end: string): Promise<string> =>
    new Promise((resolve) => {
      whenReceived = () => {
        const body = withoutChunkHeads(received);
        if (body.includes(end)) resolve(body);
      };
      isReading = true;
      socket.resume();
      whenReceived();
    });
  const readUntilClosed = async (): Promise<string> => {
    isReading = true;
    socket.resume();
    await closed.promise;
    return received;
  };
  return { readUntil, readUntilClosed, close: () => void socket.end() };
}

/** Returns the body of a chunked response, as far as it has arrived. Source: RFC 9112, 7.1. */
function withoutChunkHeads(answer: string): string {
  let at = answer.indexOf("\r\n\r\n") + 4;
  let body = "";
  for (;;) {
    const headEnd = answer.indexOf("\r\n", at);
    if (headEnd < 0) return body;
    const length = Number.parseInt(answer.slice(at, headEnd), 16);
    body += answer.slice(headEnd + 2, headEnd + 2 + length);
    at = headEnd + 2 + length + 2;
  }
}
