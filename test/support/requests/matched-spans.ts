import { traceTail } from "../../../src/domain/query/filter-key.ts";
import { compileFilter, type SpanLocation } from "../../../src/domain/query/span-matcher.ts";
import type { SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import {
  createWalkedRequest,
  type WalkedRequest,
} from "../../../src/domain/wire/walked-request.ts";

const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });
/** The number of other bytes around it, as in the ring. */
const AROUND_BYTES = 64;
const arena = new Uint8Array(new SharedArrayBuffer(2 ** 20)).fill(0x4a);

/** Walks a request somewhere in shared memory, and returns the location of each valid span. */
export function locationsOf(request: Uint8Array): SpanLocation[] {
  walkRequest(walked, request);
  if (walked.fault !== NO_FAULT) throw new Error(`fault ${walked.fault}`);
  arena.set(request, AROUND_BYTES);
  return Array.from({ length: walked.spanCount }, (_, row) => placeOfRow(walked, row));
}

function placeOfRow({ spanContext, ...table }: WalkedRequest, row: number): SpanLocation {
  const context = spanContext[row]!;
  return {
    bytes: arena,
    spanOffset: AROUND_BYTES + table.spanOffset[row]!,
    spanLength: table.spanLength[row]!,
    resourceOffset: AROUND_BYTES + table.resourceOffset[context]!,
    resourceLength: table.resourceLength[context]!,
    traceTail: traceTail(table.request, table.spanTraceId[row]!),
  };
}

/** Returns the rows of the spans that match the filter. */
export function matchedRows(request: Uint8Array, filter: SpanFilter): number[] {
  const matcher = compileFilter(filter);
  return locationsOf(request).flatMap((place, row) => (matcher.matches(place) ? [row] : []));
}
