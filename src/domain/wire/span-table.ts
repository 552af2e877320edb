/**
 * Where the spans of one request lie, in columns. Offsets and lengths are of message bodies,
 * without tag and length. A context is one ScopeSpans within its ResourceSpans; one without spans
 * has no row.
 *
 *   [ ResourceSpans [ resource ][ ScopeSpans [ scope ][ Span ][ Span ] ] ] [ ResourceSpans ...
 *                   ^resourceOffset          ^scopeOffset     ^spanOffset
 */
export interface SpanTable {
  spanCount: number;
  readonly spanOffset: Uint32Array;
  readonly spanLength: Uint32Array;
  /** Row of the span's context; never falls from one span to the next. */
  readonly spanContext: Uint32Array;
  contextCount: number;
  readonly resourceOffset: Uint32Array;
  readonly resourceLength: Uint32Array;
  readonly scopeOffset: Uint32Array;
  readonly scopeLength: Uint32Array;
  /** The run of spans within the scope, where it is known to be only one: `spansEnd` is not 0. */
  readonly spansStart: Uint32Array;
  readonly spansEnd: Uint32Array;
}

/** Every span has at most one context of its own, so as many rows serve for both. */
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
