import { compileFilter } from "../../domain/query/span-matcher.ts";
import { tracesMatcher } from "../../domain/query/trace-matcher.ts";
import { serviceName } from "../../domain/wire/resource.ts";
import {
  createSpanFields,
  digestSpan,
  readSpanFields,
  type SpanDigest,
  traceIdHex,
} from "../../domain/wire/span-fields.ts";
import { scanRing, SPANS_PER_PIECE } from "./ring-scan.ts";
import type { SpanQuery } from "./query-spans.ts";
import type { SequenceRange, SearchedBuffer } from "../../ports/trace-buffer.ts";

/** Summarises the buffered spans of one trace. */
export interface TraceSummary {
  /** 32 hex digits, lowercase. */
  readonly traceId: string;
  /** The name of the span without a parent; undefined while none is buffered. */
  readonly root: string | undefined;
  /** The service of that span. */
  readonly rootService: string | undefined;
  /** The service of the root first, the others in the order in which they were first seen. */
  readonly services: readonly string[];
  readonly spanCount: number;
  /** Spans whose status is an error. */
  readonly errorCount: number;
  /** The earliest start and the latest end; undefined if no span has one. */
  readonly startTimeUnixNano: bigint | undefined;
  readonly endTimeUnixNano: bigint | undefined;
  /** The sequence of its newest buffered span. */
  readonly lastSequence: number;
}

export interface TraceSummaries {
  readonly traces: readonly TraceSummary[];
  readonly range: SequenceRange;
}

const STATUS_ERROR = 2;

/**
 * Summarises the traces of matching spans: at most `limit`, in the order in which the spans are
 * scanned. A summary covers all buffered spans of its trace, including spans that do not match or
 * that come before `after`.
 */
export async function summariseTraces(
  buffer: SearchedBuffer,
  query: SpanQuery,
): Promise<TraceSummaries> {
  const traces = new Map<string, GrowingSummary>();
  const range = await findTraces(buffer, query, traces);
  await addSpans(buffer, traces);
  const buffered = [...traces.values()].filter(({ spanCount }) => spanCount > 0);
  return { traces: buffered.map(withRootServiceFirst), range };
}

function withRootServiceFirst(trace: TraceSummary): TraceSummary {
  const { rootService: first, services } = trace;
  if (first === undefined) return trace;
  return { ...trace, services: [first, ...services.filter((service) => service !== first)] };
}

/** Finds the traces, in a first scan. */
function findTraces(
  buffer: SearchedBuffer,
  { filter, after, limit, newestFirst }: SpanQuery,
  traces: Map<string, GrowingSummary>,
): Promise<SequenceRange> {
  const scan = { matcher: compileFilter(filter), after, newestFirst };
  const fields = createSpanFields();
  return scanRing(buffer, scan, (range) => {
    let last: number | undefined;
    buffer.visit({ ...scan, range }, (sequence, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const traceId = traceIdHex(fields);
      if (!traces.has(traceId)) traces.set(traceId, emptySummary(traceId));
      if (traces.size === limit) last = sequence;
      return last === undefined;
    });
    return last;
  });
}

/** Adds all spans of these traces, in a second scan. */
async function addSpans(
  buffer: SearchedBuffer,
  traces: Map<string, GrowingSummary>,
): Promise<void> {
  let spansPerPiece = SPANS_PER_PIECE;
  const matcher = tracesMatcher(traces.keys());
  const scan = { matcher, after: 0, newestFirst: false, spansPerPiece: () => spansPerPiece };
  const fields = createSpanFields();
  await scanRing(buffer, scan, (range) => {
    let addedSpans = 0;
    buffer.visit({ ...scan, range }, (sequence, location) => {
      addedSpans += 1;
      readSpanFields(fields, location.bytes, location.spanOffset, location.spanLength);
      const summary = traces.get(traceIdHex(fields));
      if (summary !== undefined) {
        const { bytes, resourceOffset, resourceLength } = location;
        addSpan(summary, digestSpan(fields), serviceName(bytes, resourceOffset, resourceLength));
        summary.lastSequence = sequence;
      }
      return true;
    });
    // Spans of other traces cost nearly nothing, so pieces grow while few are added.
    spansPerPiece = addedSpans < FEW_SPANS ? spansPerPiece * 2 : SPANS_PER_PIECE;
    return undefined;
  });
}

const FEW_SPANS = 256;

interface GrowingSummary extends Mutable<TraceSummary> {
  services: string[];
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function emptySummary(traceId: string): GrowingSummary {
  return {
    traceId,
    root: undefined,
    rootService: undefined,
    services: [],
    spanCount: 0,
    errorCount: 0,
    startTimeUnixNano: undefined,
    endTimeUnixNano: undefined,
    lastSequence: 0,
  };
}

function addSpan(summary: GrowingSummary, span: SpanDigest, service: string): void {
  const { services } = summary;
  if (!span.hasParent && summary.rootService === undefined) {
    summary.root = span.name;
    summary.rootService = service;
  }
  if (!services.includes(service)) services.push(service);
  summary.spanCount += 1;
  if (span.statusCode === STATUS_ERROR) summary.errorCount += 1;
  addTimes(summary, span);
}

/** Adds the times of a span; 0 means "not set". */
function addTimes(summary: GrowingSummary, span: SpanDigest): void {
  const { startTimeUnixNano: start, endTimeUnixNano: end } = span;
  const { startTimeUnixNano: earliest = start, endTimeUnixNano: latest = end } = summary;
  if (start !== 0n) summary.startTimeUnixNano = start < earliest ? start : earliest;
  if (end !== 0n) summary.endTimeUnixNano = end > latest ? end : latest;
}
