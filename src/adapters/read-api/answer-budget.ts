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
