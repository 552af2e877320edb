import { compileFilter } from "../domain/query/span-matcher.ts";
import { hasParent } from "../domain/wire/span-digest.ts";
import { createSpanFields, readSpanFields } from "../domain/wire/span-fields.ts";
import { lookThrough } from "./look-through.ts";
import type { SearchedBuffer, SpanAnswer } from "./query-spans.ts";

export interface TraceAnswer extends SpanAnswer {
  /** Whether a span without a parent is among them: the root, which ends last. */
  readonly hasRoot: boolean;
}

/** All buffered spans of one trace, copied, in the order in which they were accepted. */
export async function readTrace(
  buffer: SearchedBuffer,
  traceId: string,
  after = 0,
): Promise<TraceAnswer> {
  const matcher = compileFilter([{ on: "trace_id", value: traceId }]);
  const fields = createSpanFields();
  const found: number[] = [];
  let hasRoot = false;
  const look = { matcher, after, newestFirst: false };
  const range = await lookThrough(buffer, look, (piece) => {
    buffer.visit({ ...look, range: piece }, (sequence, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      hasRoot ||= !hasParent(fields);
      found.push(sequence);
      return true;
    });
    return undefined;
  });
  return { ...buffer.copy(found), hasRoot, range };
}
