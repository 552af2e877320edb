import { traceTail } from "../../domain/query/filter-key.ts";
import type { SpanFilter } from "../../domain/query/span-filter.ts";
import { compileFilter } from "../../domain/query/span-matcher.ts";
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from "../../domain/span-validity.ts";
import { type FieldScan, nextField, point, scanFrom } from "../../domain/wire/field-scan.ts";
import {
  LINK_SPAN_ID_FIELD,
  LINK_TRACE_ID_FIELD,
  LINKS_FIELD,
} from "../../domain/wire/otlp-tags.ts";
import {
  createSpanFields,
  durationNano,
  hasParent,
  readSpanFields,
  type SpanFields,
} from "../../domain/wire/span-fields.ts";
import type { SearchedBuffer, SequenceRange } from "../../ports/trace-buffer.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import { addDuration, createHistogram, type DurationHistogram } from "./duration-histogram.ts";
import { scanRing } from "./ring-scan.ts";
import { serviceReader } from "./service-names.ts";
import { createOwners, NO_OWNER, ownerOf, setOwner, type SpanOwners } from "./span-owners.ts";

/** The matching spans of one service. */
export interface GraphService {
  readonly service: string;
  readonly spanCount: number;
  readonly errorCount: number;
}

/** The matching spans of `to` whose parent, or a span they link to, is of the service `from`. */
export interface GraphCall {
  readonly from: string;
  readonly to: string;
  /** Spans with a parent in the other service, and those of them whose status is an error. */
  readonly callCount: number;
  readonly errorCount: number;
  /** Links to spans of the other service. */
  readonly linkCount: number;
  /** The durations of the calls, as far as they are known. */
  readonly durations: DurationHistogram;
}

export interface ServiceGraph {
  readonly services: readonly GraphService[];
  readonly calls: readonly GraphCall[];
  /** Matching spans whose parent is not buffered, and links to spans that are not. */
  readonly unknownParentCount: number;
  readonly unknownLinkCount: number;
  /** Calls and links for which there was no room. */
  readonly otherCount: number;
  readonly range: SequenceRange;
}

/** Bounds memory, however many services arrive. */
export const MAX_CALLS = 2_000;
const MAX_GRAPH_SERVICES = 1_000;
const MAX_SERVICE_BYTES = 1024 * 1024;
const OTHER_SERVICES = "(other services)";

const STATUS_ERROR = 2;

/**
 * Counts the calls between services in two passes, because a child usually arrives before its
 * parent: the first notes the service of each span, the second follows parents and links.
 */
export async function readServiceGraph(
  buffer: SearchedBuffer,
  filter: SpanFilter = [],
): Promise<ServiceGraph> {
  const { first, next } = buffer.range();
  const graph = emptyGraph(createOwners(next - first));
  try {
    await noteOwners(buffer, graph);
    const range = await followSpans(buffer, graph, { filter, next });
    const { unknownParentCount, unknownLinkCount, otherCount } = graph;
    const services = graph.services.filter(({ spanCount }) => spanCount > 0);
    const calls = [...graph.calls.values()];
    return { services, calls, unknownParentCount, unknownLinkCount, otherCount, range };
  } finally {
    releaseOwnBuffer(graph.owners.memory);
  }
}

interface GrowingGraph extends Mutable<Omit<ServiceGraph, "services" | "calls" | "range">> {
  readonly owners: SpanOwners;
  /** The service with number n is at index n - 1; the first one stands for those without room. */
  readonly services: Mutable<GraphService>[];
  readonly numbers: Map<string, number>;
  serviceBytes: number;
  readonly calls: Map<number, Mutable<GraphCall>>;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function emptyGraph(owners: SpanOwners): GrowingGraph {
  return {
    owners,
    services: [emptyService(OTHER_SERVICES)],
    numbers: new Map(),
    serviceBytes: 0,
    calls: new Map(),
    unknownParentCount: 0,
    unknownLinkCount: 0,
    otherCount: 0,
  };
}

function emptyService(service: string): Mutable<GraphService> {
  return { service, spanCount: 0, errorCount: 0 };
}

const OTHERS_NUMBER = 1;

/** Returns the number of a service, which it adds if there is room. */
function numberOf(graph: GrowingGraph, service: string): number {
  const known = graph.numbers.get(service);
  if (known !== undefined) return known;
  const bytes = graph.serviceBytes + service.length;
  if (graph.services.length > MAX_GRAPH_SERVICES || bytes > MAX_SERVICE_BYTES) return OTHERS_NUMBER;
  graph.serviceBytes = bytes;
  const number = graph.services.push(emptyService(service));
  graph.numbers.set(service, number);
  return number;
}

/** Notes the service of each span. */
async function noteOwners(buffer: SearchedBuffer, graph: GrowingGraph): Promise<void> {
  const scan = { matcher: compileFilter([]), after: 0, newestFirst: false };
  const fields = createSpanFields();
  await scanRing(buffer, scan, (piece) => {
    const serviceOf = serviceReader();
    buffer.visit({ ...scan, range: piece }, (_, location) => {
      const { bytes, spanOffset, spanLength, traceTail: tail } = location;
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const key = { bytes, spanIdAt: fields.spanIdAt, traceTail: tail };
      setOwner(graph.owners, key, numberOf(graph, serviceOf(location)));
      return true;
    });
    return undefined;
  });
}

/** Counts matching spans and their calls. Spans that arrived after the first pass are left out. */
async function followSpans(
  buffer: SearchedBuffer,
  graph: GrowingGraph,
  { filter, next }: { readonly filter: SpanFilter; readonly next: number },
): Promise<SequenceRange> {
  const scan = { matcher: compileFilter(filter), after: 0, newestFirst: false };
  const fields = createSpanFields();
  const links = scanFrom(new Uint8Array(0), 0, 0);
  const range = await scanRing(buffer, scan, (piece) => {
    const serviceOf = serviceReader();
    buffer.visit({ ...scan, range: piece }, (sequence, location) => {
      if (sequence >= next) return false;
      const { bytes, spanOffset, spanLength, traceTail: tail } = location;
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const callee = numberOf(graph, serviceOf(location));
      countSpan(graph, callee, fields);
      countParent(graph, callee, fields, tail);
      point(links, bytes, spanOffset, spanOffset + spanLength);
      while (nextField(links)) {
        if (links.fieldNumber === LINKS_FIELD) countLink(graph, callee, links);
      }
      return true;
    });
    return piece.next >= next ? next - 1 : undefined;
  });
  return range;
}

function countSpan(graph: GrowingGraph, number: number, { statusCode }: SpanFields): void {
  const service = graph.services[number - 1]!;
  service.spanCount += 1;
  if (statusCode === STATUS_ERROR) service.errorCount += 1;
}

function countParent(graph: GrowingGraph, callee: number, fields: SpanFields, tail: number): void {
  if (!hasParent(fields)) return;
  const key = { bytes: fields.bytes, spanIdAt: fields.parentStart, traceTail: tail };
  const caller = ownerOf(graph.owners, key);
  if (caller === NO_OWNER) graph.unknownParentCount += 1;
  if (caller === NO_OWNER || caller === callee) return;
  const call = callBetween(graph, caller, callee);
  if (call === undefined) return;
  call.callCount += 1;
  if (fields.statusCode === STATUS_ERROR) call.errorCount += 1;
  const duration = durationNano(fields);
  if (duration !== undefined) addDuration(call.durations, Math.max(0, duration));
}

/** Counts the link in the field to which a scan has stepped. Links may have no identifiers. */
function countLink(graph: GrowingGraph, callee: number, field: FieldScan): void {
  const { bytes } = field;
  const link = scanFrom(bytes, field.valueAt, field.at);
  let spanIdAt = 0;
  let traceIdAt = 0;
  while (nextField(link)) {
    const { fieldNumber, valueAt, at } = link;
    if (fieldNumber === LINK_SPAN_ID_FIELD && at - valueAt === SPAN_ID_BYTES) spanIdAt = valueAt;
    if (fieldNumber === LINK_TRACE_ID_FIELD && at - valueAt === TRACE_ID_BYTES) traceIdAt = valueAt;
  }
  if (spanIdAt === 0 || traceIdAt === 0) return;
  const key = { bytes, spanIdAt, traceTail: traceTail(bytes, traceIdAt) };
  const caller = ownerOf(graph.owners, key);
  if (caller === NO_OWNER) graph.unknownLinkCount += 1;
  if (caller === NO_OWNER || caller === callee) return;
  const call = callBetween(graph, caller, callee);
  if (call !== undefined) call.linkCount += 1;
}

/** Returns the calls between two services; counts the call elsewhere if there is no room. */
function callBetween(
  graph: GrowingGraph,
  caller: number,
  callee: number,
): Mutable<GraphCall> | undefined {
  const key = caller * (MAX_GRAPH_SERVICES + 2) + callee;
  const known = graph.calls.get(key);
  if (known !== undefined) return known;
  if (graph.calls.size === MAX_CALLS) {
    graph.otherCount += 1;
    return undefined;
  }
  const call = {
    from: graph.services[caller - 1]!.service,
    to: graph.services[callee - 1]!.service,
    callCount: 0,
    errorCount: 0,
    linkCount: 0,
    durations: createHistogram(),
  };
  graph.calls.set(key, call);
  return call;
}
