import { assert } from "../../domain/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import { type MemoryReading, UNMEASURED } from "./measured-memory.ts";

/**
 * What took the memory for which requests are dropped: requests alone, answers with them, or the
 * process apart from both.
 */
export type DropCause = "requests" | "answers" | "process";

/** An owner of requests in flight that are dropped together: a connection of any protocol. */
export interface InFlightOwner {
  /**
   * Called when the owner has held too much for too long. Its bytes are no longer charged, and it
   * must free them: most of them are left to the garbage collector.
   */
  dropped(heldBytes: number, cause: DropCause): void;
}

/** An owner, or how to find it: asked for only when a request must be dropped. */
export type OwnerSource = InFlightOwner | (() => InFlightOwner);

/** A request in progress, and the memory charged to it. */
export interface OpenRequest {
  readonly owner: OwnerSource;
  readonly openedAtMs: number;
  readonly baseBytes: number;
  /** The base cost of an open request, and everything received of it. */
  heldBytes: number;
  hasEnded: boolean;
}

export interface InFlightParts {
  readonly capacityBytes: number;
  /** The size of the largest request that any listener accepts. */
  readonly largestRequestBytes?: number;
  readonly clock: Clock;
  /** The memory of the process; without it, only what is charged counts. */
  readonly memory?: MemoryReading;
}

/** Room for headers and frames, so that a message as large as the whole budget still fits. */
export const ENVELOPE_BYTES = 128 * 1024;

/** What answers of the read API leave to requests at least: by default, the largest and others. */
const MIN_REQUESTS_BYTES = 24 * 1024 * 1024;

/**
 * The least that requests may hold, however large the process is: enough for thirty requests of 512
 * spans.
 */
const SMALL_REQUESTS_BYTES = 8 * 1024 * 1024;

/**
 * The minimum charge of a piece. The objects around a small piece take 750 bytes on Bun 1.4.5, and
 * no option of grpc-js or HTTP/2 keeps peers from sending single bytes.
 */
const MIN_PIECE_BYTES = 768;

/** The cap on the age of a request, so that a long-lived call is not blamed for being old. */
const MAX_AGE_MS = 10_000;

/**
 * The budget of message bytes in flight, for the whole process: every listener charges it. Over
 * gRPC, a response does not end the charge of the call itself, whose peer may keep the stream open.
 *
 * What answers hold leaves less for requests, because both together must stay within the memory of
 * the process: a peer may fill the one and then the other. Answers always leave room for one
 * request of the largest size, or a slow reader would keep its sender out. If the process itself
 * grows too large, requests may hold less, but never less than `SMALL_REQUESTS_BYTES`.
 *
 * Invariant: heldBytes = the sum of heldBytes of `openRequests`, and between calls heldBytes <=
 * limitBytes.
 *
 * grpc-js limits one message and HTTP/2 the streams of one connection, but nothing limits their
 * product: 4 connections x 100 streams x 4 MiB took 1.7 GB. `hold` runs for every piece of every
 * message, so it only adds and compares; requests are searched only when the budget is exceeded.
 */
export class InFlightBudget {
  // Fixed at construction.
  private readonly clock: Clock;
  private readonly capacityBytes: number;
  readonly memory: MemoryReading;
  /** What answers leave to requests, however much they hold. */
  readonly leastBytes: number;

  // Moved by `noteAnswers` and `begin`.
  private answerBytes = 0;
  private excessBytes = 0;
  private limitBytes: number;

  // Moved by the methods below.
  private readonly openRequests = new Set<OpenRequest>();
  heldBytes = 0;

  constructor({ capacityBytes, largestRequestBytes = 0, clock, memory }: InFlightParts) {
    this.capacityBytes = capacityBytes;
    this.leastBytes = Math.min(capacityBytes, Math.max(MIN_REQUESTS_BYTES, largestRequestBytes));
    this.limitBytes = capacityBytes + ENVELOPE_BYTES;
    this.clock = clock;
    this.memory = memory ?? UNMEASURED;
  }

  begin(owner: OwnerSource, baseBytes: number): OpenRequest {
    this.noteExcess(this.memory.excessBytes(this.heldBytes + this.answerBytes));
    const request = openRequest(owner, baseBytes, this.clock.monotonicMs());
    this.openRequests.add(request);
    this.charge(request, baseBytes);
    return request;
  }

  /** Charges a piece of a message that has arrived. */
  hold(request: OpenRequest, lengthBytes: number): void {
    this.charge(request, lengthBytes < MIN_PIECE_BYTES ? MIN_PIECE_BYTES : lengthBytes);
  }

  /** Ends the charge of the pieces of a request, which have been freed. */
  releasePieces(request: OpenRequest): void {
    if (request.hasEnded) return;
    this.heldBytes -= request.heldBytes - request.baseBytes;
    request.heldBytes = request.baseBytes;
  }

  end(request: OpenRequest): void {
    if (!this.openRequests.delete(request)) return;
    request.hasEnded = true;
    this.heldBytes -= request.heldBytes;
    request.heldBytes = 0;
  }

  /** Notes that answers hold so many bytes more, or less. */
  noteAnswers(bytes: number): void {
    this.answerBytes += bytes;
    this.setLimit();
  }

  private noteExcess(bytes: number): void {
    if (bytes === this.excessBytes) return;
    this.excessBytes = bytes;
    this.setLimit();
  }

  private setLimit(): void {
    this.limitBytes = this.limitFor(this.answerBytes, this.excessBytes);
    this.shed();
  }

  /** Returns what requests may hold, given what answers hold and the excess of the process. */
  private limitFor(answerBytes: number, excessBytes: number): number {
    const leftBytes = Math.max(this.capacityBytes - answerBytes, this.leastBytes);
    const smallBytes = Math.min(leftBytes, SMALL_REQUESTS_BYTES);
    return Math.max(leftBytes - excessBytes, smallBytes) + ENVELOPE_BYTES;
  }

  /** Returns without what requests of so many bytes would have had room. */
  private causeFor(heldBytes: number): DropCause {
    if (heldBytes > this.limitFor(0, 0)) return "requests";
    return heldBytes > this.limitFor(this.answerBytes, 0) ? "answers" : "process";
  }

  /** Charges bytes, except those of a request that has ended, which are not kept. */
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
    const before = this.heldBytes;
    const cause = this.causeFor(before);
    this.endAll(owner);
    owner.dropped(before - this.heldBytes, cause);
  }

  private endAll(owner: InFlightOwner): void {
    for (const request of this.openRequests) if (ownerOf(request) === owner) this.end(request);
  }
}

function openRequest(owner: OwnerSource, baseBytes: number, openedAtMs: number): OpenRequest {
  return { owner, openedAtMs, baseBytes, heldBytes: 0, hasEnded: false };
}

function ownerOf({ owner }: OpenRequest): InFlightOwner {
  return typeof owner === "function" ? owner() : owner;
}

/**
 * Returns the owner to drop: the one whose unfinished messages took the most memory for the longest
 * time. Size alone must not decide: a peer with many small connections could get the large messages
 * of others dropped.
 */
function worstOf(requests: Iterable<OpenRequest>, nowMs: number): InFlightOwner {
  const byteMs = new Map<InFlightOwner, number>();
  for (const request of requests) {
    const { heldBytes, openedAtMs } = request;
    const owner = ownerOf(request);
    const ageMs = Math.min(nowMs - openedAtMs + 1, MAX_AGE_MS);
    byteMs.set(owner, (byteMs.get(owner) ?? 0) + heldBytes * ageMs);
  }
  const [worst] = [...byteMs].toSorted(([, one], [, other]) => other - one);
  assert(worst !== undefined, "held bytes have an owner");
  return worst[0];
}
