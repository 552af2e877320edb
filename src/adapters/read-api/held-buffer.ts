import type { HeldAnswer } from "./answer-budget.ts";
import type { CopiedSpans } from "../../domain/buffered-spans.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";

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
