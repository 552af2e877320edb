import { releaseBytes } from "../../application/ring/release-bytes.ts";
import type { SleepingClock } from "../../ports/clock.ts";

/** The time after the refusal. A sender on a slow link may need longer. */
const MAX_DRAIN_MS = 5_000;

/** The limit for one body: the size that OTLP recommends to accept. */
const MAX_DRAIN_BYTES = 64 * 1024 * 1024;

/** The limit of concurrent drains; beyond it an answer is sent at once. */
const MAX_DRAINS = 64;

/**
 * Reads and discards the rest of a body that is refused, so that its sender can read the answer.
 *
 * Bun closes a connection of HTTP/1.0, or with `Connection: close`, right after the answer. If more
 * of the body arrives then, the system resets the connection. The reset may overtake the answer, or
 * break a sender that writes everything before it reads: nginx returns 502 to its client instead of
 * 413, and an exporter sends the same request again. A request does not show whether Bun will close
 * its connection, so all bodies are drained.
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

  /** Resolves when the answer may be sent, after `MAX_DRAIN_MS` at the latest. */
  async drain(request: Request): Promise<void> {
    if (this.open === MAX_DRAINS || !hasMoreToCome(request)) return;
    this.open += 1;
    const over = discard(request.body!, this.clock, this.stopping.signal);
    await over.finally(() => void (this.open -= 1));
  }

  /** Ends all drains. */
  stop(): void {
    this.stopping.abort();
  }
}

/**
 * Reports whether more of the body may arrive: a sender with `Expect: 100-continue` has not
 * started, and a body that declares too much is not worth reading.
 */
function hasMoreToCome({ headers, body }: Request): boolean {
  if (headers.get("expect")?.toLowerCase() === "100-continue") return false;
  return Number(headers.get("content-length")) <= MAX_DRAIN_BYTES && body !== null;
}

/** Never rejects: when the connection is gone, nothing is left to read or to answer. */
async function discard(
  body: ReadableStream,
  clock: SleepingClock,
  stopping: AbortSignal,
): Promise<void> {
  // Cast because the types are those of Node, which has no `readMany`.
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const ended = new AbortController();
  const patience = clock.sleep(MAX_DRAIN_MS, AbortSignal.any([ended.signal, stopping]));
  // Ends the pending read.
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
