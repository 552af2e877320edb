import type { Socket } from "node:net";

/** The body of a request, of which only what has arrived and is not yet read is held. */
export interface ArrivingBody {
  /** The bytes that are still to arrive. */
  leftBytes: number;
  readonly held: Uint8Array[];
  heldBytes: number;
  /** Whether its reader has begun, which is after the token of the request is checked. */
  isRead: boolean;
  /** Wakes the reader. */
  wake: () => void;
}

/** The socket is not read while more is held, nor before the body is read. */
const MAX_HELD_BYTES = 256 * 1024;

/** Begins a body, of which the first bytes may have arrived. */
export function beginBody(lengthBytes: number): ArrivingBody {
  return { leftBytes: lengthBytes, held: [], heldBytes: 0, isRead: false, wake: () => {} };
}

/** Adds what has arrived; anything behind the body is dropped. */
export function addToBody(body: ArrivingBody, bytes: Uint8Array, socket: Socket): void {
  const chunk = bytes.subarray(0, body.leftBytes);
  body.leftBytes -= chunk.length;
  if (chunk.length > 0) body.held.push(chunk);
  body.heldBytes += chunk.length;
  if (!body.isRead || body.heldBytes > MAX_HELD_BYTES) socket.pause();
  body.wake();
}

/** Yields the body in order. Throws if its peer is gone before the end of it. */
export async function* chunksOf(
  body: ArrivingBody,
  socket: Socket,
  isAwaited: boolean,
): AsyncGenerator<Uint8Array> {
  const wake = (): void => body.wake();
  body.isRead = true;
  socket.once("close", wake);
  if (isAwaited) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
  try {
    for (;;) {
      for (let chunk = body.held.shift(); chunk !== undefined; chunk = body.held.shift()) {
        body.heldBytes -= chunk.length;
        yield chunk;
      }
      if (body.leftBytes === 0) return;
      if (socket.destroyed) throw new Error("the connection was closed before the end");
      // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
      await new Promise<void>((resolve) => {
        body.wake = resolve;
        socket.resume();
      });
    }
  } finally {
    socket.off("close", wake);
  }
}
