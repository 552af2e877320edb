import type { SearchedBuffer } from "../../application/query-spans.ts";
import type { CopiedSpans } from "../../application/ring-hand-over.ts";
import type { HeldAnswer } from "./answer-budget.ts";

/**
 * The buffer as one answer sees it: whatever is copied counts as held by that answer. When there is
 * no room for more, nothing is copied, and those spans are refused.
 */
export function heldBuffer(
  buffer: SearchedBuffer,
  held: HeldAnswer,
  whenRefused: () => void = () => {},
): SearchedBuffer {
  const copy = (sequences: readonly number[]): CopiedSpans => {
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
    range: () => buffer.range(),
    visit: (search, visit) => buffer.visit(search, visit),
  };
}
