import type { Cursor } from "../../domain/cursor.ts";
import { cursorText } from "../../domain/cursor.ts";
import type { Problem } from "./problem.ts";
import type { RouteContext } from "./route.ts";
import { rangeHeaders, rangeMember } from "./span-answer.ts";

/**
 * Returns a problem when this run has no span at the cursor: it is of another run, or beyond the
 * newest span. A reader that was answered all the same could wait for ever, or skip spans.
 */
export function goneCursor(
  { buffer, runId }: Pick<RouteContext, "buffer" | "runId">,
  cursor: Cursor,
  parameter: string,
): Problem | undefined {
  const range = buffer.range();
  const newest = range.next - 1;
  const isOfThisRun = cursor.runId === undefined || cursor.runId === runId;
  if (isOfThisRun && cursor.sequence <= newest) return undefined;
  const why = isOfThisRun
    ? `but the newest span of this run, ${runId}, is number ${newest}: was spanring restarted?`
    : `a position in another run of spanring: this run, ${runId}, numbers its spans anew.`;
  return {
    status: 410,
    parameter,
    detail: `${parameter} is "${textOf(cursor)}", ${why} Start again with after=0`,
    members: { sequence: rangeMember(runId, range) },
    headers: rangeHeaders(range),
  };
}

function textOf({ runId, sequence }: Cursor): string {
  return runId === undefined ? String(sequence) : cursorText(runId, sequence);
}
