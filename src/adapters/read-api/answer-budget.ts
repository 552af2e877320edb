import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { UNMEASURED } from "../memory/measured-memory.ts";
import type { CopiedSpans, SearchedBuffer, SpanReader } from "../../ports/trace-buffer.ts";
import { BUSY, ProblemError, STOPPING } from "./problem.ts";

/** What answers may hold together, however much requests hold. */
const MIN_ANSWERS_BYTES = 16 * 1024 * 1024;

/** The least that answers may hold together, however large the process is. */
const SMALL_ANSWERS_BYTES = 4 * 1024 * 1024;

/** The requests in flight, which share the memory of the process with answers. */
export type SharedWithAnswers = Pick<
  InFlightBudget,
  "heldBytes" | "leastBytes" | "memory" | "noteAnswers"
>;

const NO_REQUESTS: SharedWithAnswers = {
  heldBytes: 0,
  leastBytes: 0,
  memory: UNMEASURED,
  noteAnswers: () => {},
};

/**
 * Bounds the memory of answers in progress. A reader that stops reading keeps its answer in memory,
 * many readers may do so, and a wait keeps what it has found so far.
 *
 * An answer may grow as long as the others leave room. So a single answer may be of any size if
 * memory allows, and many answers share the limit. What requests in flight hold counts too, but
 * leaves some room to answers, and what answers hold leaves less to requests. An answer of any size
 * begins only while requests hold no more than it leaves to them, and while the process may grow by
 * as much or no request is in flight.
 *
 * Invariant: 0 <= heldBytes < limitBytes + the largest answer.
 */
export class AnswerBudget {
  // Fixed at construction.
  private readonly limitBytes: number;
  private readonly requests: SharedWithAnswers;

  // Moved by `change`.
  heldBytes = 0;

  constructor(limitBytes: number, requests = NO_REQUESTS) {
    this.limitBytes = limitBytes;
    this.requests = requests;
  }

  /** Reports whether another answer may begin. */
  hasRoom(): boolean {
    return this.heldBytes < this.limitBytes;
  }

  /** Returns an answer that holds nothing yet. */
  begin(): HeldAnswer {
    return new HeldAnswer(this);
  }

  /** Reports whether an answer that holds `ownBytes` may grow by `bytes`. Only answers call it. */
  hasRoomBeside(ownBytes: number, bytes: number): boolean {
    const { heldBytes: besideBytes, leastBytes: leftBytes, memory } = this.requests;
    const isAlone = this.heldBytes === ownBytes && besideBytes <= leftBytes;
    if (isAlone && (besideBytes === 0 || bytes <= memory.roomBytes())) return true;
    return this.heldBytes + bytes < this.mostBytes();
  }

  /** Returns what answers may hold, given what requests hold and how large the process is. */
  private mostBytes(): number {
    const { limitBytes, requests } = this;
    const chargedBytes = this.heldBytes + requests.heldBytes;
    const leftBytes = leftToAnswers(limitBytes, requests.heldBytes);
    const fittingBytes = leftBytes - requests.memory.excessBytes(chargedBytes);
    return Math.max(fittingBytes, Math.min(SMALL_ANSWERS_BYTES, limitBytes));
  }

  /** Adds to the held bytes. Only answers call this. */
  change(bytes: number): void {
    this.heldBytes += bytes;
    this.requests.noteAnswers(bytes);
  }
}

function leftToAnswers(limitBytes: number, besideBytes: number): number {
  return Math.max(limitBytes - besideBytes, Math.min(MIN_ANSWERS_BYTES, limitBytes));
}

/** Counts what one answer holds, until it is disposed of or, once handed over, released. */
export class HeldAnswer implements Disposable {
  private readonly budget: AnswerBudget;
  private bytes = 0;
  private reservedBytes = 0;
  private refused = 0;
  private isHandedOver = false;

  constructor(budget: AnswerBudget) {
    this.budget = budget;
  }

  /**
   * Reports whether the answer may grow by about this much. It is called before a copy is made: a
   * full ring takes as much again while it is read.
   */
  mayGrow(bytes = 0): boolean {
    const isReserved = this.reservedBytes > 0 && bytes <= this.reservedBytes;
    return isReserved || this.budget.hasRoomBeside(this.bytes, bytes);
  }

  /** Holds bytes that are copied later. */
  reserve(bytes: number): void {
    this.hold(bytes);
    this.reservedBytes = bytes;
  }

  get heldBytes(): number {
    return this.bytes;
  }

  /** Counts the spans that the answer lacks because there was no room for them. */
  get refusedSpans(): number {
    return this.refused;
  }

  refuse(spanCount: number): void {
    this.refused += spanCount;
  }

  hold(bytes: number): void {
    const unreserved = Math.max(0, bytes - this.reservedBytes);
    this.reservedBytes = Math.max(0, this.reservedBytes - bytes);
    this.bytes += unreserved;
    this.budget.change(unreserved);
  }

  release(): void {
    this.budget.change(-this.bytes);
    this.bytes = 0;
    this.reservedBytes = 0;
  }

  /** Returns how many spans were refused since the last call. */
  takeRefused(): number {
    const { refused } = this;
    this.refused = 0;
    return refused;
  }

  /** Leaves the release to a stream that still sends the answer when its scope ends. */
  handOver(): void {
    this.isHandedOver = true;
  }

  [Symbol.dispose](): void {
    if (!this.isHandedOver) this.release();
  }
}

export interface HeldBufferParts {
  readonly held: HeldAnswer;
  /** Aborted when the answer is no longer wanted, or has been found. */
  readonly ended: AbortSignal;
  readonly whenRefused?: () => void;
}

/**
 * Returns the buffer as one answer sees it: each copy counts as held by the answer. When there is
 * no room for more, nothing is copied, and the spans are refused.
 *
 * Once the answer has ended, every call throws a `ProblemError`. So the search of a large ring ends
 * with its answer, and an answer that has been released holds nothing more.
 */
export function heldBuffer(
  buffer: SearchedBuffer & Partial<Pick<SpanReader, "stats">>,
  { held, ended, whenRefused = () => {} }: HeldBufferParts,
): SearchedBuffer {
  const check = (): void => {
    // A client that has disconnected never reads the problem.
    if (ended.aborted) throw new ProblemError(held.refusedSpans > 0 ? BUSY : STOPPING);
  };
  const copy = (sequences: readonly number[]): CopiedSpans => {
    check();
    if (sequences.length === 0 || held.mayGrow(sizeOfSpans(buffer, sequences.length))) {
      const copied = buffer.copy(sequences);
      held.hold(copied.request.length);
      return copied;
    }
    held.refuse(sequences.length);
    whenRefused();
    return { request: new Uint8Array(0), sequences: [] };
  };
  return {
    copy,
    range: () => (check(), buffer.range()),
    visit: (search, visit) => (check(), buffer.visit(search, visit)),
  };
}

/**
 * Returns the approximate size of so many buffered spans, at their mean size; no more than memory
 * holds, which is also the most that is read from a disk for one answer.
 */
export function sizeOfSpans(buffer: Partial<Pick<SpanReader, "stats">>, spanCount: number): number {
  const stats = buffer.stats?.();
  if (stats === undefined || stats.spans.buffered === 0) return 0;
  const { spans, bytes, capacity } = stats;
  const size = (bytes.buffered / spans.buffered) * Math.min(spanCount, spans.buffered);
  return Math.min(Math.ceil(size), capacity.bytes);
}

/** A cancellation. Disposing of it cancels, and detaches it from the signals it follows. */
export interface Cancellation extends Disposable {
  readonly signal: AbortSignal;
  cancel(): void;
}

/**
 * Follows several signals: aborted when one of them is, or by `cancel`. `AbortSignal.any` cannot be
 * detached, and some of these signals last as long as the program.
 */
export function cancelledBy(signals: readonly AbortSignal[]): Cancellation {
  const controller = new AbortController();
  const cancel = (): void => controller.abort();
  for (const signal of signals) signal.addEventListener("abort", cancel);
  if (signals.some(({ aborted }) => aborted)) cancel();
  const dispose = (): void => {
    cancel();
    for (const signal of signals) signal.removeEventListener("abort", cancel);
  };
  return { signal: controller.signal, cancel, [Symbol.dispose]: dispose };
}
