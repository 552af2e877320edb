import { assert } from "../assert.ts";
import { type FieldScan, type MessageBytes, nextField, point, scanFrom } from "./field-scan.ts";
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
 * Creates a table. Each span has at most one context of its own, so by default, both kinds of rows
 * have the same number.
 */
export function createSpanTable(rows: number, contextRows = rows): SpanTable {
  return {
    spanCount: 0,
    spanOffset: new Uint32Array(rows),
    spanLength: new Uint32Array(rows),
    spanContext: new Uint32Array(rows),
    contextCount: 0,
    resourceOffset: new Uint32Array(contextRows),
    resourceLength: new Uint32Array(contextRows),
    scopeOffset: new Uint32Array(contextRows),
    scopeLength: new Uint32Array(contextRows),
    spansStart: new Uint32Array(contextRows),
    spansEnd: new Uint32Array(contextRows),
  };
}

/** A range of spans by position: from `first` up to, but not including, `end`. */
export interface SpanRange {
  readonly first: number;
  readonly end: number;
}

/**
 * Returns the offsets of all spans of a request, valid or not. It reads no deeper than the head of
 * a span, so it costs little and needs no limits. The walk must have accepted the request. If the
 * caller knows the number of spans, they need not be counted first.
 */
export function everySpan(request: MessageBytes, spanCount = countSpans(request)): SpanTable {
  const table = createSpanTable(spanCount, countScopes(request));
  visitScopes(request, (resource, scope) => addScope(table, resource, scope));
  assert(table.spanCount === spanCount, "the table has a row for each span");
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

/** Visits each ScopeSpans message, with the ResourceSpans message around it. */
function visitScopes(
  { bytes, offset, length }: MessageBytes,
  visit: (resource: FieldScan, scope: FieldScan) => void,
): void {
  const resource = scanFrom(bytes, offset, offset + length);
  const scope = scanFrom(bytes, offset, offset);
  while (nextField(resource)) {
    if (resource.fieldNumber !== RESOURCE_SPANS_FIELD) continue;
    point(scope, bytes, resource.valueAt, resource.at);
    while (nextField(scope)) {
      if (scope.fieldNumber === SCOPE_SPANS_FIELD) visit(resource, scope);
    }
  }
}

function countScopes(request: MessageBytes): number {
  let scopes = 0;
  visitScopes(request, () => void (scopes += 1));
  return scopes;
}

function countSpans(request: MessageBytes): number {
  const scan = scanFrom(request.bytes, 0, 0);
  let spans = 0;
  visitScopes(request, (_, scope) => {
    point(scan, request.bytes, scope.valueAt, scope.at);
    while (nextField(scan)) if (scan.fieldNumber === SPANS_FIELD) spans += 1;
  });
  return spans;
}

/** Adds the spans of a scope and, if it has any, its context. Creates no object for a span. */
function addScope(table: SpanTable, resource: FieldScan, scope: FieldScan): void {
  const { contextCount: context } = table;
  const scan = scanFrom(scope.bytes, scope.valueAt, scope.at);
  const run = { start: 0, end: 0, count: 0 };
  let row = table.spanCount;
  for (let fieldAt = scan.at; nextField(scan); fieldAt = scan.at) {
    if (scan.fieldNumber !== SPANS_FIELD) continue;
    if (run.end !== fieldAt) {
      run.start = fieldAt;
      run.count += 1;
    }
    run.end = scan.at;
    table.spanOffset[row] = scan.valueAt;
    table.spanLength[row] = scan.at - scan.valueAt;
    table.spanContext[row] = context;
    row += 1;
  }
  if (row === table.spanCount) return;
  table.spanCount = row;
  addContext(table, resource, scope);
  // Otherwise every slice would scan the whole scope.
  if (run.count > 1) return;
  table.spansStart[context] = run.start;
  table.spansEnd[context] = run.end;
}

function addContext(table: SpanTable, resource: FieldScan, scope: FieldScan): void {
  const row = table.contextCount;
  table.resourceOffset[row] = resource.valueAt;
  table.resourceLength[row] = resource.at - resource.valueAt;
  table.scopeOffset[row] = scope.valueAt;
  table.scopeLength[row] = scope.at - scope.valueAt;
  table.contextCount = row + 1;
}
