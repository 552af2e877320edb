/**
 * A position among the spans of one run: right after the span with this sequence.
 *
 * Each run numbers its spans from 1, so after a restart a sequence alone may refer to another span.
 */
export interface Cursor {
  /** Undefined if only the sequence was given. */
  readonly runId: string | undefined;
  readonly sequence: number;
}

/** The position before the first span of any run. */
export const BEGINNING: Cursor = { runId: undefined, sequence: 0 };

const CURSOR = /^(?:([0-9A-Za-z]{1,64})-)?(0|[1-9]\d{0,15})$/;

/** Parses `17` or `3f9a0c5e7b21d804-17`. Returns undefined for any other text. */
export function readCursor(text: string): Cursor | undefined {
  const [, runId, digits] = CURSOR.exec(text) ?? [];
  const sequence = Number(digits);
  return Number.isSafeInteger(sequence) ? { runId, sequence } : undefined;
}

/** Returns the text of a cursor, such as `3f9a0c5e7b21d804-17`. */
export function cursorText(runId: string, sequence: number): string {
  return `${runId}-${sequence}`;
}
