import { compileFilter } from "../../domain/query/span-matcher.ts";
import {
  createSpanFields,
  hasParent,
  parentIdHex,
  readSpanFields,
  type SpanFields,
  spanIdHex,
} from "../../domain/wire/span-fields.ts";
import { scanRing } from "./ring-scan.ts";
import type { SpanAnswer } from "./query-spans.ts";
import type { SequenceRange, SearchedBuffer } from "../../ports/trace-buffer.ts";

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

/** Describes what is buffered of a trace, and what it lacks. */
export interface IncompleteTrace {
  /** 32 hex digits, lowercase. */
  readonly traceId: string;
  readonly spanCount: number;
  /** Whether a span without a parent is among them. */
  readonly hasRoot: boolean;
  /** Identifiers of parents that no buffered span of the trace has; none when it has a root. */
  readonly missingParents: readonly string[];
}

/** Bounds the memory. A few missing parents are enough to find the mistake. */
const MAX_PARENTS = 1_000;

/**
 * Looks at a trace twice: for the parents that its spans name, and then for spans that are one of
 * them. So no more is kept than the parents, however many spans there are.
 */
export async function readIncompleteTrace(
  buffer: SearchedBuffer,
  traceId: string,
): Promise<IncompleteTrace> {
  const parents = new Set<string>();
  let spanCount = 0;
  let hasRoot = false;
  await visitTrace(buffer, traceId, (fields) => {
    spanCount += 1;
    if (!hasParent(fields)) hasRoot = true;
    else if (parents.size < MAX_PARENTS) parents.add(parentIdHex(fields));
  });
  if (hasRoot) return { traceId, spanCount, hasRoot, missingParents: [] };
  await visitTrace(buffer, traceId, (fields) => void parents.delete(spanIdHex(fields)));
  return { traceId, spanCount, hasRoot, missingParents: [...parents] };
}

async function visitTrace(
  buffer: SearchedBuffer,
  traceId: string,
  visit: (fields: SpanFields) => void,
): Promise<void> {
  const matcher = compileFilter([{ on: "trace_id", value: traceId }]);
  const fields = createSpanFields();
  const look = { matcher, after: 0, newestFirst: false };
  await scanRing(buffer, look, (range) => {
    buffer.visit({ ...look, range }, (_, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      visit(fields);
      return true;
    });
    return undefined;
  });
}
