/**
 * Bounds the memory of answers that are under way: a reader that stops reading keeps its answer
 * waiting, and there may be many such readers.
 *
 * Invariant: 0 <= heldBytes < limitBytes + the largest answer.
 */
export class AnswerBudget {
  private readonly limitBytes: number;
  private heldBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Asked before an answer is made, when its size is not yet known: hence "plus the largest". */
  hasRoom(): boolean {
    return this.heldBytes < this.limitBytes;
  }

  /** The function that is returned lets go again. */
  hold(lengthBytes: number): () => void {
    this.heldBytes += lengthBytes;
    return () => {
      this.heldBytes -= lengthBytes;
    };
  }
}
