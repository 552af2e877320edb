import { compileFilter } from "../../domain/query/span-matcher.ts";
import { hasParent, createSpanFields, readSpanFields } from "../../domain/wire/span-fields.ts";
import { scanRing } from "./ring-scan.ts";
import type { SpanAnswer } from "./query-spans.ts";
import type { SequenceRange } from "../../domain/buffered-spans.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";

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
  let newestRoot = 0;
  const look = { matcher, after, newestFirst: false };
  const range = await scanRing(buffer, look, (piece) => {
    buffer.visit({ ...look, range: piece }, (sequence, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      if (!hasParent(fields)) newestRoot = sequence;
      found.push(sequence);
      return true;
    });
    return undefined;
  });
  const copied = buffer.copy(found);
  const first = copied.sequences.length < found.length ? buffer.range().first : 0;
  // Copied at the end, and not piece by piece: what was evicted since is as if never looked at.
  return { ...copied, hasRoot: newestRoot > 0 && newestRoot >= first, range: from(range, first) };
}

function from({ first, next }: SequenceRange, least: number): SequenceRange {
  return { first: Math.min(next, Math.max(first, least)), next };
}
