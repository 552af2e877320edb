import { assert } from "../../domain/assert.ts";
import type { Clock } from "../../ports/clock.ts";

/** Who has requests in flight that are let go together: a connection, of whatever protocol. */
export interface InFlightOwner {
  /** It held too much for too long. Its bytes are let go already, and it must now do so too. */
  dropped(): void;
}

/** A request that has begun and not ended, and the memory it is charged with. */
export interface OpenRequest {
  readonly owner: InFlightOwner;
  readonly openedAtMs: number;
  /** What an open request costs without a message, and everything received of it. */
  heldBytes: number;
  hasEnded: boolean;
}

export interface InFlightParts {
  readonly capacityBytes: number;
  readonly clock: Clock;
}

/** For headers and frames, so that a message as long as the whole budget still gets through. */
export const ENVELOPE_BYTES = 128 * 1024;

/**
 * A small piece of a message costs as much as 400 bytes, for the objects around it (measured on Bun
 * 1.4.5), and no option of grpc-js or HTTP/2 stops a peer from sending single bytes.
 */
const MIN_PIECE_BYTES = 512;

/** Beyond this a request's age says nothing more about it: long-lived calls are not at fault. */
const MAX_AGE_MS = 10_000;

/**
 * Message bytes in flight over the whole process: received of requests that are not over yet. There
 * is one budget, and every listener charges it. Over gRPC, that a request was answered lets nothing
 * go: while its peer keeps the stream open, its message may stay alive.
 *
 * Invariant: heldBytes = the sum of heldBytes of `openRequests`, and between calls
 * heldBytes <= capacityBytes + ENVELOPE_BYTES.
 *
 * grpc-js bounds one message, HTTP/2 the streams of one connection, and nothing their product: 4
 * connections x 100 streams x 4 MiB took 1.7 GB. `hold` runs for every piece of every message, so
 * it adds and compares; only when the budget is exceeded are requests looked through.
 */
export class InFlightBudget {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly limitBytes: number;

  // Moved by the methods below.
  private readonly openRequests = new Set<OpenRequest>();
  heldBytes = 0;

  constructor({ capacityBytes, clock }: InFlightParts) {
    this.limitBytes = capacityBytes + ENVELOPE_BYTES;
    this.clock = clock;
  }

  begin(owner: InFlightOwner, baseBytes: number): OpenRequest {
    const openedAtMs = this.clock.monotonicMs();
    const request = { owner, openedAtMs, heldBytes: 0, hasEnded: false };
    this.openRequests.add(request);
    this.charge(request, baseBytes);
    return request;
  }

  /** A piece of a message has arrived. */
  hold(request: OpenRequest, lengthBytes: number): void {
    this.charge(request, lengthBytes < MIN_PIECE_BYTES ? MIN_PIECE_BYTES : lengthBytes);
  }

  end(request: OpenRequest): void {
    if (!this.openRequests.delete(request)) return;
    request.hasEnded = true;
    this.heldBytes -= request.heldBytes;
    request.heldBytes = 0;
  }

  /** What still comes of an ended request is not kept by anyone. */
  private charge(request: OpenRequest, bytes: number): void {
    if (request.hasEnded) return;
    request.heldBytes += bytes;
    this.heldBytes += bytes;
    if (this.heldBytes > this.limitBytes) this.shed();
  }

  private shed(): void {
    while (this.heldBytes > this.limitBytes) {
      this.drop(worstOf(this.openRequests, this.clock.monotonicMs()));
    }
  }

  private drop(owner: InFlightOwner): void {
    for (const request of this.openRequests) {
      if (request.owner === owner) this.end(request);
    }
    owner.dropped();
  }
}

/**
 * Whom to drop: the owner whose unfinished messages took the most memory for the longest time. Not
 * simply the largest: a peer with many small connections would have everyone else's large messages
 * dropped instead of its own.
 */
function worstOf(requests: Iterable<OpenRequest>, nowMs: number): InFlightOwner {
  const byteMs = new Map<InFlightOwner, number>();
  for (const { owner, heldBytes, openedAtMs } of requests) {
    const ageMs = Math.min(nowMs - openedAtMs + 1, MAX_AGE_MS);
    byteMs.set(owner, (byteMs.get(owner) ?? 0) + heldBytes * ageMs);
  }
  const [worst] = [...byteMs].toSorted(([, one], [, other]) => other - one);
  assert(worst !== undefined, "bytes that are held are held by an owner");
  return worst[0];
}
