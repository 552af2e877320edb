import { assembleRequest } from "../../../domain/wire/assemble.ts";
import { fieldRuns, type MessageBytes } from "../../../domain/wire/field-run.ts";
import { nextField, scanFrom } from "../../../domain/wire/field-scan.ts";
import {
  RESOURCE_SPANS_FIELD,
  SCOPE_SPANS_FIELD,
  SPANS_FIELD,
} from "../../../domain/wire/otlp-schema.ts";
import { createSpanTable, type SpanTable } from "../../../domain/wire/span-table.ts";

/**
 * A request that the walk accepted, cut into requests of at most so many spans. Each span keeps its
 * bytes, also one that is not valid: a receiver is to judge it. What is around them is repeated.
 */
export function* protoSlices(request: Uint8Array, mostSpans: number): Generator<Uint8Array> {
  const whole = { bytes: request, offset: 0, length: request.length };
  const table = everySpan(whole);
  for (let first = 0; first < table.spanCount; first += mostSpans) {
    yield assembleRequest(whole, rowsOf(table, first, first + mostSpans));
  }
}

/** The rows from `first` up to, and without, `end`, or up to the last. */
function rowsOf(table: SpanTable, first: number, end: number): SpanTable {
  const last = Math.min(end, table.spanCount);
  return {
    ...table,
    spanCount: last - first,
    spanOffset: table.spanOffset.subarray(first, last),
    spanLength: table.spanLength.subarray(first, last),
    spanContext: table.spanContext.subarray(first, last),
  };
}

function everySpan(request: MessageBytes): SpanTable {
  const scopes = scopesOf(request);
  const table = createSpanTable(scopes.reduce((sum, { spans }) => sum + spans.length, 0));
  for (const { resource, scope, spans } of scopes) {
    if (spans.length === 0) continue;
    addContext(table, resource, scope);
    for (const span of spans) addSpan(table, span);
  }
  return table;
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
  // Else every slice would look through the whole scope.
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

/** The messages in the fields with this number. */
function messagesIn({ bytes, offset, length }: MessageBytes, field: number): MessageBytes[] {
  const scan = scanFrom(bytes, offset, offset + length);
  const messages: MessageBytes[] = [];
  while (nextField(scan)) {
    const { fieldNumber, valueAt, at } = scan;
    if (fieldNumber === field) messages.push({ bytes, offset: valueAt, length: at - valueAt });
  }
  return messages;
}
