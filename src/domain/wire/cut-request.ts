import { assembleRequest } from "./assemble.ts";
import type { MessageBytes } from "./field-run.ts";
import { nextField, scanFrom } from "./field-scan.ts";
import { RESOURCE_SPANS_FIELD, SCOPE_SPANS_FIELD, SPANS_FIELD } from "./otlp-schema.ts";
import { createSpanTable, type SpanTable } from "./span-table.ts";

/** Spans of a request by their places in it: from `first` up to, and without, `end`. */
export interface SpanPlaces {
  readonly first: number;
  readonly end: number;
}

/**
 * A request that holds these spans of another one and no others, each with all that is around it;
 * see `assembleRequest`. Nothing deeper than a span's head is looked at, so this costs little and
 * needs no limits.
 *
 * Needs a request that the walk accepted and rejected no span of, and at least one span.
 */
export function cutRequest(request: Uint8Array, places: SpanPlaces): Uint8Array<ArrayBuffer> {
  const whole = { bytes: request, offset: 0, length: request.length };
  return assembleRequest(whole, tableOf(whole, places));
}

function tableOf(request: MessageBytes, { first, end }: SpanPlaces): SpanTable {
  const table = createSpanTable(end - first);
  let place = 0;
  visitFields(request, RESOURCE_SPANS_FIELD, (resource) =>
    visitFields(resource, SCOPE_SPANS_FIELD, (scope) => {
      const firstRow = table.spanCount;
      visitFields(scope, SPANS_FIELD, (span) => {
        if (first <= place && place < end) addSpan(table, span);
        place += 1;
      });
      if (table.spanCount > firstRow) addContext(table, resource, scope);
    }),
  );
  return table;
}

/** Every field of this number in a message that the walk accepted; each holds a message. */
function visitFields(
  { bytes, offset, length }: MessageBytes,
  wanted: number,
  visit: (message: MessageBytes) => void,
): void {
  const scan = scanFrom(bytes, offset, offset + length);
  while (nextField(scan)) {
    if (scan.fieldNumber !== wanted) continue;
    visit({ bytes, offset: scan.valueAt, length: scan.at - scan.valueAt });
  }
}

function addSpan(table: SpanTable, span: MessageBytes): void {
  const row = table.spanCount;
  table.spanOffset[row] = span.offset;
  table.spanLength[row] = span.length;
  table.spanContext[row] = table.contextCount;
  table.spanCount = row + 1;
}

function addContext(table: SpanTable, resource: MessageBytes, scope: MessageBytes): void {
  const row = table.contextCount;
  table.resourceOffset[row] = resource.offset;
  table.resourceLength[row] = resource.length;
  table.scopeOffset[row] = scope.offset;
  table.scopeLength[row] = scope.length;
  table.contextCount = row + 1;
}
