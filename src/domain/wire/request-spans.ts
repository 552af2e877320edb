import { fieldRuns, type MessageBytes, nextField, scanFrom } from "./field-scan.ts";
import { RESOURCE_SPANS_FIELD, SCOPE_SPANS_FIELD, SPANS_FIELD } from "./otlp-tags.ts";

/**
 * The offsets of the spans of one request, in columns. Offsets and lengths are those of message
 * bodies, without tag and length. A context is one ScopeSpans within its ResourceSpans; contexts
 * without spans have no row.
 *
 *   [ ResourceSpans [ resource ][ ScopeSpans [ scope ][ Span ][ Span ] ] ] [ ResourceSpans ...
 *                   ^resourceOffset          ^scopeOffset     ^spanOffset
 */
export interface SpanTable {
  spanCount: number;
  readonly spanOffset: Uint32Array;
  readonly spanLength: Uint32Array;
  /** The row of the span's context, which never decreases from one span to the next. */
  readonly spanContext: Uint32Array;
  contextCount: number;
  readonly resourceOffset: Uint32Array;
  readonly resourceLength: Uint32Array;
  readonly scopeOffset: Uint32Array;
  readonly scopeLength: Uint32Array;
  /**
   * The run of spans within the scope, if it is known to be the only one; `spansEnd` is then not 0.
   */
  readonly spansStart: Uint32Array;
  readonly spansEnd: Uint32Array;
}

/**
 * Creates a table. Each span has at most one context of its own, so both kinds of rows need the
 * same number.
 */
export function createSpanTable(rows: number): SpanTable {
  return {
    spanCount: 0,
    spanOffset: new Uint32Array(rows),
    spanLength: new Uint32Array(rows),
    spanContext: new Uint32Array(rows),
    contextCount: 0,
    resourceOffset: new Uint32Array(rows),
    resourceLength: new Uint32Array(rows),
    scopeOffset: new Uint32Array(rows),
    scopeLength: new Uint32Array(rows),
    spansStart: new Uint32Array(rows),
    spansEnd: new Uint32Array(rows),
  };
}

/** A range of spans by position: from `first` up to, but not including, `end`. */
export interface SpanRange {
  readonly first: number;
  readonly end: number;
}

/**
 * Returns the offsets of all spans of a request, valid or not. It reads no deeper than the head of
 * a span, so it costs little and needs no limits. The walk must have accepted the request.
 */
export function everySpan(request: MessageBytes): SpanTable {
  const scopes = scopesOf(request);
  const table = createSpanTable(scopes.reduce((sum, { spans }) => sum + spans.length, 0));
  for (const { resource, scope, spans } of scopes) {
    if (spans.length === 0) continue;
    addContext(table, resource, scope);
    for (const span of spans) addSpan(table, span);
  }
  return table;
}

/** Returns the rows of these spans, if they exist. */
export function rowsOf(table: SpanTable, ...runs: readonly SpanRange[]): SpanTable {
  const kept = runs.map(({ first, end }) => ({ first, end: Math.min(end, table.spanCount) }));
  const columnOf = (column: Uint32Array) => joined(kept.map((run) => partOf(column, run)));
  const spanOffset = columnOf(table.spanOffset);
  return {
    ...table,
    spanCount: spanOffset.length,
    spanOffset,
    spanLength: columnOf(table.spanLength),
    spanContext: columnOf(table.spanContext),
  };
}

function partOf(column: Uint32Array, { first, end }: SpanRange): Uint32Array {
  return column.subarray(first, Math.max(first, end));
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function scopesOf(request: MessageBytes) {
  return messagesIn(request, RESOURCE_SPANS_FIELD).flatMap((resource) =>
    messagesIn(resource, SCOPE_SPANS_FIELD).map((scope) => ({
      resource,
      scope,
      spans: messagesIn(scope, SPANS_FIELD),
    })),
  );
}

function addContext(table: SpanTable, resource: MessageBytes, scope: MessageBytes): void {
  const row = table.contextCount;
  table.resourceOffset[row] = resource.offset;
  table.resourceLength[row] = resource.length;
  table.scopeOffset[row] = scope.offset;
  table.scopeLength[row] = scope.length;
  const [run, another] = fieldRuns(scope, SPANS_FIELD);
  // Otherwise every slice would scan the whole scope.
  if (run !== undefined && another === undefined) {
    table.spansStart[row] = run.start;
    table.spansEnd[row] = run.end;
  }
  table.contextCount = row + 1;
}

function addSpan(table: SpanTable, { offset, length }: MessageBytes): void {
  const row = table.spanCount;
  table.spanOffset[row] = offset;
  table.spanLength[row] = length;
  table.spanContext[row] = table.contextCount - 1;
  table.spanCount = row + 1;
}

/** Returns the messages in the fields with this number. */
function messagesIn({ bytes, offset, length }: MessageBytes, field: number): MessageBytes[] {
  const scan = scanFrom(bytes, offset, offset + length);
  const messages: MessageBytes[] = [];
  while (nextField(scan)) {
    const { fieldNumber, valueAt, at } = scan;
    if (fieldNumber === field) messages.push({ bytes, offset: valueAt, length: at - valueAt });
  }
  return messages;
}
