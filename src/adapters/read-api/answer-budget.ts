import type { CopiedSpans, SearchedBuffer } from "../../ports/trace-buffer.ts";

/**
 * Bounds the memory of answers that are under way: a reader that stops reading keeps its answer
 * waiting, and there may be many such readers; and one who waits keeps what was found so far.
 *
 * An answer may grow as long as the others leave room. So one alone may be of any size, and many
 * share what there is.
 *
 * Invariant: 0 <= heldBytes < limitBytes + the largest answer.
 */
export class AnswerBudget {
  // Fixed at construction.
  private readonly limitBytes: number;

  // Moved by `change`.
  heldBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Whether another answer may be begun. */
  hasRoom(): boolean {
    return this.hasRoomBeside(0);
  }

  /** For an answer that holds nothing yet. */
  begin(): HeldAnswer {
    return new HeldAnswer(this);
  }

  /** For the answers themselves: whether one that holds this much may hold more. */
  hasRoomBeside(ownBytes: number): boolean {
    return this.heldBytes - ownBytes < this.limitBytes;
  }

  /** For the answers themselves. */
  change(bytes: number): void {
    this.heldBytes += bytes;
  }
}

/** What one answer holds. */
export class HeldAnswer {
  private readonly budget: AnswerBudget;
  private bytes = 0;
  private refused = 0;

  constructor(budget: AnswerBudget) {
    this.budget = budget;
  }

  /** Asked before something is copied, when its size is not yet known: hence "plus the largest". */
  mayGrow(): boolean {
    return this.budget.hasRoomBeside(this.bytes);
  }

  /** Spans that are not in the answer, for want of room. */
  get refusedSpans(): number {
    return this.refused;
  }

  refuse(spanCount: number): void {
    this.refused += spanCount;
  }

  hold(bytes: number): void {
    this.bytes += bytes;
    this.budget.change(bytes);
  }

  /** Lets go of everything. */
  release(): void {
    this.budget.change(-this.bytes);
    this.bytes = 0;
  }

  /** Tells what was refused, once. */
  takeRefused(): number {
    const { refused } = this;
    this.refused = 0;
    return refused;
  }
}

export interface HeldBufferParts {
  readonly held: HeldAnswer;
  /** Aborted when nobody waits for the answer any longer, or when it has been found. */
  readonly ended: AbortSignal;
  readonly whenRefused?: () => void;
}

/** For whoever still looks, when the answer that it was for has ended. */
export class AnswerEndedError extends Error {
  override readonly name = "AnswerEndedError";
}

/**
 * The buffer as one answer sees it: whatever is copied counts as held by that answer. When there is
 * no room for more, nothing is copied, and those spans are refused.
 *
 * Once the answer has ended, every call throws an `AnswerEndedError`. So a look at a large ring
 * ends with its answer, and nothing is held by an answer that has let go.
 */
export function heldBuffer(
  buffer: SearchedBuffer,
  { held, ended, whenRefused = () => {} }: HeldBufferParts,
): SearchedBuffer {
  const check = (): void => {
    if (ended.aborted) throw new AnswerEndedError("the answer has ended");
  };
  const copy = (sequences: readonly number[]): CopiedSpans => {
    check();
    if (sequences.length === 0 || held.mayGrow()) {
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

export interface Cancellation {
  readonly signal: AbortSignal;
  cancel(): void;
  /** To be called when it is over: the signals it follows may last much longer. */
  clear(): void;
}

/**
 * Cancelled when any of the signals is, or by `cancel`. `AbortSignal.any` would do, but for the
 * last: it could not be detached from a signal that lasts as long as the program.
 */
export function cancelledBy(signals: readonly AbortSignal[]): Cancellation {
  const controller = new AbortController();
  const cancel = (): void => controller.abort();
  for (const signal of signals) signal.addEventListener("abort", cancel);
  if (signals.some(({ aborted }) => aborted)) cancel();
  const clear = (): void => {
    for (const signal of signals) signal.removeEventListener("abort", cancel);
  };
  return { signal: controller.signal, cancel, clear };
}
