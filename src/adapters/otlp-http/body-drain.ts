import { releaseBytes } from "../../application/ring/release-bytes.ts";
import type { SleepingClock } from "../../ports/clock.ts";

/** From the refusal on. A sender on a slow link may not be done by then. */
const MAX_DRAIN_MS = 5_000;

/** Of one body: as much as OTLP recommends to take of one that is not refused. */
const MAX_DRAIN_BYTES = 64 * 1024 * 1024;

/** At the same time; the answer to one more is sent at once. */
const MAX_DRAINS = 64;

/**
 * Reads what still comes of a body that is refused, and throws it away, so that its sender can read
 * the answer.
 *
 * Bun closes a connection of HTTP/1.0 or with `Connection: close` behind the answer. If more of the
 * body comes then, the system resets the connection, and that may overtake the answer or break off
 * a sender that writes all before it reads: nginx tells its client 502 instead of 413, and an
 * exporter sends the same again. Which connections Bun will close cannot be seen in a request, so
 * this is for all of them.
 */
export class BodyDrain {
  // Fixed at construction.
  private readonly clock: SleepingClock;

  // Moved by `drain` and `stop`.
  private readonly stopping = new AbortController();
  private open = 0;

  constructor(clock: SleepingClock) {
    this.clock = clock;
  }

  /** Resolves when the answer may be sent, in any case within `MAX_DRAIN_MS`. */
  async drain(request: Request): Promise<void> {
    if (this.open === MAX_DRAINS || !hasMoreToCome(request)) return;
    this.open += 1;
    const over = discard(request.body!, this.clock, this.stopping.signal);
    await over.finally(() => void (this.open -= 1));
  }

  /** Ends the wait for all that is still coming. */
  stop(): void {
    this.stopping.abort();
  }
}

/** A sender that asks first has not begun; and of a body that is too long, no part is any use. */
function hasMoreToCome({ headers, body }: Request): boolean {
  if (headers.get("expect")?.toLowerCase() === "100-continue") return false;
  return Number(headers.get("content-length")) <= MAX_DRAIN_BYTES && body !== null;
}

/** Never rejects: where the connection is gone, there is nothing to read and nobody to answer. */
async function discard(
  body: ReadableStream,
  clock: SleepingClock,
  stopping: AbortSignal,
): Promise<void> {
  // The types are Node's, which has no `readMany`.
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const ended = new AbortController();
  const patience = clock.sleep(MAX_DRAIN_MS, AbortSignal.any([ended.signal, stopping]));
  // Ends the wait for the next piece.
  void Promise.allSettled([patience.then(() => reader.cancel())]);
  await readToEnd(reader).catch(() => {});
  ended.abort();
}

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let drainedBytes = 0;
  for (let isOver = false; !isOver;) {
    // oxlint-disable-next-line no-await-in-loop -- pieces come one after the other
    const { value: pieces, done } = await reader.readMany();
    for (const piece of pieces) {
      drainedBytes += piece.length;
      releaseBytes(piece);
    }
    isOver = done || drainedBytes > MAX_DRAIN_BYTES;
  }
}
