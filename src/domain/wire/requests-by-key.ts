import { assembleRequest } from "./assemble.ts";
import { everySpan, rowsOf, type SpanRange, type SpanTable } from "./request-spans.ts";
import { serviceName } from "./resource.ts";
import { createSpanFields, readSpanFields, traceIdHex } from "./span-fields.ts";

/** Holds what the spans of a part have in common. */
export type SplitKey = "trace_id" | "service";

/** The spans of a request that have the same key, as a request. */
export interface RequestPart {
  /** The trace id in hex, or the name of the service. */
  readonly key: string;
  readonly request: Uint8Array<ArrayBuffer>;
  readonly spanCount: number;
}

/**
 * Splits a request by key, without decoding its spans; their order is kept within each part. The
 * walk must have accepted all spans of the request.
 */
export function requestsByKey(request: Uint8Array<ArrayBuffer>, key: SplitKey): RequestPart[] {
  const whole = { bytes: request, offset: 0, length: request.length };
  const table = everySpan(whole);
  const runs = runsByKey(
    table,
    key === "trace_id" ? traceIds(request, table) : services(request, table),
  );
  return [...runs].map(([name, runsOfKey]) => {
    const spanCount = runsOfKey.reduce((sum, { first, end }) => sum + end - first, 0);
    const isWhole = spanCount === table.spanCount;
    const part = isWhole ? request : assembleRequest(whole, rowsOf(table, ...runsOfKey));
    return { key: name, request: part, spanCount };
  });
}

// Each call reuses this. Every thread has its own modules.
const fields = createSpanFields();

function traceIds(bytes: Uint8Array, table: SpanTable): (row: number) => string {
  return (row) => {
    readSpanFields(fields, bytes, table.spanOffset[row]!, table.spanLength[row]!);
    return traceIdHex(fields);
  };
}

/** Reads each service once, because the spans of a context follow each other. */
function services(bytes: Uint8Array, table: SpanTable): (row: number) => string {
  let [last, name] = [-1, ""];
  return (row) => {
    const context = table.spanContext[row]!;
    if (context !== last) {
      name = serviceName(bytes, table.resourceOffset[context]!, table.resourceLength[context]!);
    }
    last = context;
    return name;
  };
}

/** Returns the rows of each key, as ascending runs. */
function runsByKey(table: SpanTable, keyOf: (row: number) => string): Map<string, SpanRange[]> {
  const runs = new Map<string, { first: number; end: number }[]>();
  for (let row = 0; row < table.spanCount; row += 1) {
    const key = keyOf(row);
    const known = runs.get(key);
    const last = known?.at(-1);
    if (last?.end === row) last.end = row + 1;
    else if (known !== undefined) known.push({ first: row, end: row + 1 });
    else runs.set(key, [{ first: row, end: row + 1 }]);
  }
  return runs;
}
