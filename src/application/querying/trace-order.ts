import { everySpan } from "../../domain/expectation/expectation-matcher.ts";
import { uint64At } from "../../domain/wire/scalars.ts";
import {
  ABSENT,
  createSpanFields,
  readSpanFields,
  type SpanFields,
} from "../../domain/wire/span-fields.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import { count, emptyTally, type Tally } from "./expectation-tally.ts";
import type { SpanRows } from "./related-spans.ts";
import { scanRing } from "./ring-scan.ts";
import { createOwners, NO_OWNER, ownerOf, setOwner, type SpanOwners } from "./span-owners.ts";

/** The bits of the spans that must begin earlier, and of those that must begin later. */
export interface OrderBits {
  readonly earlier: number;
  readonly later: number;
}

/** The later spans of all traces. A span is wrong if no earlier span of its trace began before. */
export interface OrderTally extends Tally {
  /**
   * For each of the newest wrong ones, how long after it the first earlier span of its trace began;
   * undefined without one, or if a start is unknown.
   */
  readonly gapsNano: readonly (bigint | undefined)[];
}

/** The starts of the spans, by trace. Numbers of traces begin at 1. */
interface Starts {
  readonly traces: SpanOwners;
  traceCount: number;
  /** The first start of an earlier span, by number of trace; 0 without one. */
  readonly firstEarlier: BigUint64Array;
  /** The later spans, oldest first. */
  laterCount: number;
  readonly laterRows: Uint32Array;
  readonly laterTraces: Uint32Array;
  readonly laterStarts: BigUint64Array;
}

/** Compares the starts of spans in a pass over the ring, without an object for each span. */
export async function readTraceOrder(
  buffer: SearchedBuffer,
  rows: SpanRows,
  bits: OrderBits,
  maxShown: number,
): Promise<OrderTally> {
  const starts = emptyStarts(countRows(rows, bits.earlier | bits.later));
  try {
    await readStarts(buffer, rows, { bits, starts });
    return tallyOf(rows, starts, maxShown);
  } finally {
    releaseOwnBuffer(starts.traces.memory);
  }
}

function countRows({ matches }: SpanRows, bits: number): number {
  let matching = 0;
  for (const each of matches) if ((each & bits) !== 0) matching += 1;
  return matching;
}

function emptyStarts(spanCount: number): Starts {
  return {
    traces: createOwners(spanCount),
    traceCount: 0,
    firstEarlier: new BigUint64Array(spanCount + 1),
    laterCount: 0,
    laterRows: new Uint32Array(spanCount),
    laterTraces: new Uint32Array(spanCount),
    laterStarts: new BigUint64Array(spanCount),
  };
}

async function readStarts(
  buffer: SearchedBuffer,
  { range, matches }: SpanRows,
  { bits, starts }: { readonly bits: OrderBits; readonly starts: Starts },
): Promise<void> {
  const fields = createSpanFields();
  const scan = { matcher: everySpan([]), after: range.first - 1, newestFirst: false };
  await scanRing(buffer, scan, (piece) => {
    buffer.visit({ ...scan, range: piece }, (sequence, location) => {
      if (sequence >= range.next) return false;
      const row = sequence - range.first;
      const own = matches[row]!;
      if ((own & (bits.earlier | bits.later)) === 0) return true;
      const { bytes, spanOffset, spanLength, traceTail } = location;
      readSpanFields(fields, bytes, spanOffset, spanLength);
      const trace = traceNumber(starts, fields, traceTail);
      const start = startOf(fields);
      if ((own & bits.earlier) !== 0) noteEarlier(starts, trace, start);
      if ((own & bits.later) !== 0) noteLater(starts, { row, trace, start });
      return true;
    });
    return piece.next >= range.next ? range.next - 1 : undefined;
  });
}

/** The table compares eight bytes and a tail: here, the last twelve bytes of the trace id. */
const KEY_OFFSET = 4;

function traceNumber(starts: Starts, { bytes, traceIdAt }: SpanFields, traceTail: number): number {
  const key = { bytes, spanIdAt: traceIdAt + KEY_OFFSET, traceTail };
  const known = ownerOf(starts.traces, key);
  if (known !== NO_OWNER) return known;
  starts.traceCount += 1;
  setOwner(starts.traces, key, starts.traceCount);
  return starts.traceCount;
}

/** Returns Unix nanoseconds; 0 if the start is not set. */
function startOf({ bytes, startTimeAt }: SpanFields): bigint {
  return startTimeAt === ABSENT ? 0n : uint64At(bytes, startTimeAt);
}

function noteEarlier({ firstEarlier }: Starts, trace: number, start: bigint): void {
  const first = firstEarlier[trace]!;
  if (start !== 0n && (first === 0n || start < first)) firstEarlier[trace] = start;
}

function noteLater(
  starts: Starts,
  { row, trace, start }: { readonly row: number; readonly trace: number; readonly start: bigint },
): void {
  const at = starts.laterCount;
  starts.laterRows[at] = row;
  starts.laterTraces[at] = trace;
  starts.laterStarts[at] = start;
  starts.laterCount += 1;
}

function tallyOf({ range }: SpanRows, starts: Starts, maxShown: number): OrderTally {
  const tally = emptyTally(maxShown);
  const gapsNano: (bigint | undefined)[] = [];
  for (let at = starts.laterCount - 1; at >= 0; at -= 1) {
    const first = starts.firstEarlier[starts.laterTraces[at]!]!;
    const start = starts.laterStarts[at]!;
    const isWrong = first === 0n || first >= start;
    count(tally, range.first + starts.laterRows[at]!, isWrong);
    const isShown = isWrong && tally.newestWrong.length > gapsNano.length;
    if (isShown) gapsNano.push(first === 0n || start === 0n ? undefined : first - start);
  }
  return { ...tally, gapsNano };
}
