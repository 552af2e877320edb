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
  /** Whether the root, a span without a parent, is among them. It ends last. */
  readonly hasRoot: boolean;
}

/** Returns copies of all buffered spans of one trace, in order of acceptance. */
export async function readTrace(
  buffer: SearchedBuffer,
  traceId: string,
  after = 0,
): Promise<TraceAnswer> {
  const matcher = compileFilter([{ on: "trace_id", value: traceId }]);
  const fields = createSpanFields();
  const found: number[] = [];
  let newestRoot = 0;
  const scan = { matcher, after, newestFirst: false };
  const range = await scanRing(buffer, scan, (piece) => {
    buffer.visit({ ...scan, range: piece }, (sequence, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      if (!hasParent(fields)) newestRoot = sequence;
      found.push(sequence);
      return true;
    });
    return undefined;
  });
  const copied = buffer.copy(found);
  const first = copied.sequences.length < found.length ? buffer.range().first : 0;
  // Copied at the end rather than piece by piece, so spans evicted in the meantime do not count.
  return { ...copied, hasRoot: newestRoot > 0 && newestRoot >= first, range: from(range, first) };
}

function from({ first, next }: SequenceRange, least: number): SequenceRange {
  return { first: Math.min(next, Math.max(first, least)), next };
}

/** Describes the buffered spans of a trace and the spans that are missing. */
export interface IncompleteTrace {
  /** 32 hex digits, lowercase. */
  readonly traceId: string;
  readonly spanCount: number;
  /** Whether a span without a parent is among them. */
  readonly hasRoot: boolean;
  /** Identifiers of parents that are not buffered; empty if the trace has a root. */
  readonly missingParents: readonly string[];
}

/** Bounds memory: a few missing parents are enough to find the mistake. */
const MAX_PARENTS = 1_000;

/**
 * Reads a trace in two passes: first the parents that its spans name, then the spans that are one
 * of these parents. Only parents are held in memory, however many spans the trace has.
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
  const scan = { matcher, after: 0, newestFirst: false };
  await scanRing(buffer, scan, (range) => {
    buffer.visit({ ...scan, range }, (_, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      visit(fields);
      return true;
    });
    return undefined;
  });
}
