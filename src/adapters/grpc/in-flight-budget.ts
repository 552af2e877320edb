import { assert } from "../../domain/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Connection } from "./connection.ts";

/** A stream that has begun and not ended, and the memory it is charged with. */
export interface OpenStream {
  readonly connection: Connection;
  readonly openedAtMs: number;
  /** What an open stream costs without a message, and everything received on it. */
  heldBytes: number;
  hasEnded: boolean;
}

export interface InFlightParts {
  readonly capacityBytes: number;
  /** Called with a connection that held too much for too long; its bytes are let go already. */
  readonly dropped: (connection: Connection) => void;
  readonly clock: Clock;
}

/**
 * A small piece of a message costs as much as 400 bytes, for the objects around it (measured on Bun
 * 1.4.5), and no option of grpc-js or HTTP/2 stops a peer from sending single bytes.
 */
const LEAST_PIECE_BYTES = 512;

/** Beyond this a stream's age says nothing more about it: long-lived calls are not at fault. */
const MAX_AGE_MS = 10_000;

/**
 * Message bytes in flight over the whole process: received on streams that are not over yet. That
 * a stream was answered lets nothing go: while its peer keeps it open, its message may stay alive.
 *
 * Invariant: heldBytes = the sum of heldBytes of `openStreams`, <= capacityBytes between calls.
 *
 * grpc-js bounds one message, HTTP/2 the streams of one connection, and nothing their product: 4
 * connections x 100 streams x 4 MiB took 1.7 GB. `hold` runs for every piece of every message, so
 * it adds and compares; only when the budget is exceeded are streams looked through.
 */
export class InFlightBudget {
  // Fixed at construction.
  private readonly parts: InFlightParts;

  // Moved by the methods below.
  private readonly openStreams = new Set<OpenStream>();
  heldBytes = 0;

  constructor(parts: InFlightParts) {
    this.parts = parts;
  }

  begin(connection: Connection, baseBytes: number): OpenStream {
    const openedAtMs = this.parts.clock.monotonicMs();
    const stream = { connection, openedAtMs, heldBytes: 0, hasEnded: false };
    this.openStreams.add(stream);
    this.charge(stream, baseBytes);
    return stream;
  }

  /** A piece of a message has arrived. */
  hold(stream: OpenStream, lengthBytes: number): void {
    this.charge(stream, lengthBytes < LEAST_PIECE_BYTES ? LEAST_PIECE_BYTES : lengthBytes);
  }

  end(stream: OpenStream): void {
    if (!this.openStreams.delete(stream)) return;
    stream.hasEnded = true;
    this.heldBytes -= stream.heldBytes;
    stream.heldBytes = 0;
  }

  /** An ended stream is closed, or is about to be. */
  private charge(stream: OpenStream, bytes: number): void {
    if (stream.hasEnded) return;
    stream.heldBytes += bytes;
    this.heldBytes += bytes;
    if (this.heldBytes > this.parts.capacityBytes) this.shed();
  }

  private shed(): void {
    while (this.heldBytes > this.parts.capacityBytes) {
      this.drop(worstOf(this.openStreams, this.parts.clock.monotonicMs()));
    }
  }

  private drop(connection: Connection): void {
    for (const stream of this.openStreams) {
      if (stream.connection === connection) this.end(stream);
    }
    this.parts.dropped(connection);
  }
}

/**
 * The connection to close: whose unfinished messages took the most memory for the longest time.
 * Not simply the largest: a peer with many small connections would have everyone else's large
 * messages closed instead of its own.
 */
function worstOf(streams: Iterable<OpenStream>, nowMs: number): Connection {
  const byteMs = new Map<Connection, number>();
  for (const { connection, heldBytes, openedAtMs } of streams) {
    const ageMs = Math.min(nowMs - openedAtMs + 1, MAX_AGE_MS);
    byteMs.set(connection, (byteMs.get(connection) ?? 0) + heldBytes * ageMs);
  }
  const [worst] = [...byteMs].toSorted(([, one], [, other]) => other - one);
  assert(worst !== undefined, "bytes that are held are held by a connection");
  return worst[0];
}
