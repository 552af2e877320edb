import { traceTail } from "../../domain/query/filter-key.ts";
import type { SpanFilter } from "../../domain/query/span-filter.ts";
import { compileFilter } from "../../domain/query/span-matcher.ts";
import { serviceName } from "../../domain/wire/resource.ts";
import {
  createSpanFields,
  digestSpan,
  readSpanFields,
  type SpanDigest,
  traceIdHex,
} from "../../domain/wire/span-fields.ts";
import { scanRing } from "./ring-scan.ts";
import type { SpanQuery } from "./query-spans.ts";
import type { SequenceRange, SearchedBuffer } from "../../ports/trace-buffer.ts";
import { textBetween } from "../../domain/wire/scalar-bytes.ts";

/** What the buffered spans of one trace say together. */
export interface TraceSummary {
  /** 32 hex digits, lowercase. */
  readonly traceId: string;
  /** Name of the span without a parent; undefined while it is not there. */
  readonly root: string | undefined;
  /** In the order in which they were first seen. */
  readonly services: readonly string[];
  readonly spanCount: number;
  /** Spans whose status is an error. */
  readonly errorCount: number;
  /** The earliest start and the latest end; undefined when no span has one. */
  readonly startTimeUnixNano: bigint | undefined;
  readonly endTimeUnixNano: bigint | undefined;
}

export interface TraceSummaries {
  readonly traces: readonly TraceSummary[];
  readonly range: SequenceRange;
}

const STATUS_ERROR = 2;
const ALL: SpanFilter = [];

/**
 * The traces that the spans that match belong to: at most `limit` of them, in the order in which
 * those spans are looked at. Each is summed up over all its buffered spans, also those that do not
 * match, or came before `after`.
 */
export async function summariseTraces(
  buffer: SearchedBuffer,
  query: SpanQuery,
): Promise<TraceSummaries> {
  const traces = new Map<string, GrowingSummary>();
  const range = await findTraces(buffer, query, traces);
  await sumUp(buffer, traces);
  return { traces: [...traces.values()].filter(({ spanCount }) => spanCount > 0), range };
}

/** First look: which traces. */
function findTraces(
  buffer: SearchedBuffer,
  { filter, after, limit, newestFirst }: SpanQuery,
  traces: Map<string, GrowingSummary>,
): Promise<SequenceRange> {
  const look = { matcher: compileFilter(filter), after, newestFirst };
  const fields = createSpanFields();
  return scanRing(buffer, look, (range) => {
    let last: number | undefined;
    buffer.visit({ ...look, range }, (sequence, { bytes, spanOffset, spanLength }) => {
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const traceId = traceIdHex(fields);
      if (!traces.has(traceId)) traces.set(traceId, emptySummary(traceId));
      if (traces.size === limit) last = sequence;
      return last === undefined;
    });
    return last;
  });
}

/** Second look: all that belongs to them. */
async function sumUp(buffer: SearchedBuffer, traces: Map<string, GrowingSummary>): Promise<void> {
  const look = { matcher: compileFilter(ALL), after: 0, newestFirst: false };
  const fields = createSpanFields();
  // Nearly every span is of another trace, and its identifier is not even written out.
  const tails = new Set(Array.from(traces.keys(), (id) => traceTail(Uint8Array.fromHex(id), 0)));
  await scanRing(buffer, look, (range) => {
    buffer.visit({ ...look, range }, (_, place) => {
      if (!tails.has(place.traceTail)) return true;
      readSpanFields(fields, place.bytes, place.spanOffset, place.spanLength);
      const summary = traces.get(traceIdHex(fields));
      if (summary !== undefined) {
        const { bytes, resourceOffset, resourceLength } = place;
        addSpan(summary, digestSpan(fields), serviceName(bytes, resourceOffset, resourceLength));
      }
      return true;
    });
    return undefined;
  });
}

interface GrowingSummary extends Mutable<TraceSummary> {
  services: string[];
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function emptySummary(traceId: string): GrowingSummary {
  return {
    traceId,
    root: undefined,
    services: [],
    spanCount: 0,
    errorCount: 0,
    startTimeUnixNano: undefined,
    endTimeUnixNano: undefined,
  };
}

function addSpan(summary: GrowingSummary, span: SpanDigest, service: string): void {
  const { services } = summary;
  if (!span.hasParent) summary.root ??= span.name;
  if (!services.includes(service)) services.push(service);
  summary.spanCount += 1;
  if (span.statusCode === STATUS_ERROR) summary.errorCount += 1;
  addTimes(summary, span);
}

/** A time of 0 is not set, and tells nothing. */
function addTimes(summary: GrowingSummary, span: SpanDigest): void {
  const { startTimeUnixNano: start, endTimeUnixNano: end } = span;
  const { startTimeUnixNano: earliest = start, endTimeUnixNano: latest = end } = summary;
  if (start !== 0n) summary.startTimeUnixNano = start < earliest ? start : earliest;
  if (end !== 0n) summary.endTimeUnixNano = end > latest ? end : latest;
}

/** Spans of one service that have the same name. */
export interface NameTally {
  readonly service: string;
  readonly name: string;
  readonly spanCount: number;
}

export interface NameTallies {
  /** Those of most spans first; of as many, in the order in which they came. */
  readonly names: readonly NameTally[];
  /** Spans of other names, seen when there was no room for more. */
  readonly otherSpanCount: number;
}

/** A bound, so that ever new names cannot fill the memory. */
const MAX_NAMES = 1_000;

/** The names of all buffered spans. */
export async function tallyNames(buffer: SearchedBuffer): Promise<NameTallies> {
  const look = { matcher: compileFilter([]), after: 0, newestFirst: false };
  const tallies = new Map<string, NameTally>();
  const fields = createSpanFields();
  let otherSpanCount = 0;
  await scanRing(buffer, look, (range) => {
    buffer.visit({ ...look, range }, (_, place) => {
      const { bytes, spanOffset, spanLength, resourceOffset, resourceLength } = place;
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const service = serviceName(bytes, resourceOffset, resourceLength);
      const name = textBetween(bytes, fields.nameStart, fields.nameEnd);
      if (!count(tallies, service, name)) otherSpanCount += 1;
      return true;
    });
    return undefined;
  });
  const names = [...tallies.values()].toSorted((a, b) => b.spanCount - a.spanCount);
  return { names, otherSpanCount };
}

/** False when there is no room for one more name. */
function count(tallies: Map<string, NameTally>, service: string, name: string): boolean {
  const key = JSON.stringify([service, name]);
  const known = tallies.get(key);
  if (known === undefined && tallies.size >= MAX_NAMES) return false;
  tallies.set(key, { service, name, spanCount: (known?.spanCount ?? 0) + 1 });
  return true;
}
