/** A client of HTTP that takes nothing, not even into a buffer of its own, until it is told to. */
export interface PausedReader {
  /** Reads on until the body so far holds this; answers with the body. */
  readUntil(end: string): Promise<string>;
  /** Reads on until the server closes; answers with all that came, its chunk heads too. */
  readUntilClosed(): Promise<string>;
  close(): void;
}

/** Resolves when the request is sent, and the beginning of the answer is there. */
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

/** The body of an answer in chunks, as far as it is there. Source: RFC 9112, 7.1. */
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
