import {
  type RelationKind,
  selectorsOf,
  type SpanPath,
} from "../../domain/expectation/expectation.ts";
import { compileSelector, everySpan } from "../../domain/expectation/expectation-matcher.ts";
import { traceTail } from "../../domain/query/filter-key.ts";
import type { SpanMatcher } from "../../domain/query/span-matcher.ts";
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from "../../domain/span-validity.ts";
import { nextField, scanFrom } from "../../domain/wire/field-scan.ts";
import {
  LINK_SPAN_ID_FIELD,
  LINK_TRACE_ID_FIELD,
  LINKS_FIELD,
} from "../../domain/wire/otlp-tags.ts";
import {
  createSpanFields,
  hasParent,
  readSpanFields,
  type SpanFields,
} from "../../domain/wire/span-fields.ts";
import type { SearchedBuffer, SequenceRange } from "../../ports/trace-buffer.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import { scanRing } from "./ring-scan.ts";
import { createOwners, NO_OWNER, ownerOf, setOwner, type SpanOwners } from "./span-owners.ts";

/**
 * Holds which spans of the ring match which selectors, and the parent of each: columns with a row
 * for each sequence, so that a million spans cost no object each.
 *
 *   row        0     1     2        the sequence, less that of the oldest span
 *   matches  [ 01 ][ 00 ][ 10 ]     a bit for each selector
 *   parentIds[ .. ][ .. ][ .. ]     eight bytes; meaningless unless the span has a parent
 *   tails    [ .. ][ .. ][ .. ]     the last word of the trace id
 */
export interface SpanRows {
  readonly range: SequenceRange;
  readonly matches: Uint8Array;
  readonly hasParents: Uint8Array;
  readonly parentIds: Uint8Array;
  readonly tails: Uint32Array;
  /** Maps a span to its row, plus 1. */
  readonly owners: SpanOwners;
}

/** The result for a span whose parent is not buffered or that has none. */
export const NO_ROW = -1;

/** Reads all buffered spans in one pass, and tests each selector on each span. */
export async function readSpanRows(
  buffer: SearchedBuffer,
  matchers: readonly SpanMatcher[],
  isUnwanted: () => boolean,
): Promise<SpanRows> {
  const rows = emptyRows(buffer.range());
  const fields = createSpanFields();
  const scan = { matcher: everySpan(matchers), after: 0, newestFirst: false };
  const { first, next } = rows.range;
  await scanRing(buffer, scan, (piece) => {
    if (isUnwanted()) return piece.first;
    buffer.visit({ ...scan, range: piece }, (sequence, location) => {
      if (sequence >= next) return false;
      const { bytes, spanOffset, spanLength, traceTail: tail } = location;
      const row = sequence - first;
      readSpanFields(fields, bytes, spanOffset, spanLength);
      setOwner(rows.owners, { bytes, spanIdAt: fields.spanIdAt, traceTail: tail }, row + 1);
      rows.tails[row] = tail;
      if (hasParent(fields)) noteParent(rows, row, fields);
      rows.matches[row] = matchBits(matchers, location);
      return true;
    });
    return piece.next >= next ? next - 1 : undefined;
  });
  return rows;
}

function noteParent(rows: SpanRows, row: number, { bytes, parentStart, parentEnd }: SpanFields) {
  if (parentEnd - parentStart !== SPAN_ID_BYTES) return;
  rows.hasParents[row] = 1;
  // Byte by byte, because a view for each span would be garbage of many times the size.
  for (let index = 0; index < SPAN_ID_BYTES; index += 1) {
    rows.parentIds[row * SPAN_ID_BYTES + index] = bytes[parentStart + index]!;
  }
}

function matchBits(
  matchers: readonly SpanMatcher[],
  location: Parameters<SpanMatcher["matches"]>[0],
): number {
  let bits = 0;
  for (let index = 0; index < matchers.length; index += 1) {
    if (matchers[index]!.matches(location)) bits |= 1 << index;
  }
  return bits;
}

function emptyRows(range: SequenceRange): SpanRows {
  const count = range.next - range.first;
  return {
    range,
    matches: new Uint8Array(count),
    hasParents: new Uint8Array(count),
    parentIds: new Uint8Array(count * SPAN_ID_BYTES),
    tails: new Uint32Array(count),
    owners: createOwners(count),
  };
}

/** Frees the largest parts. The rows must not be used any more. */
export function releaseRows({ owners, parentIds }: SpanRows): void {
  releaseOwnBuffer(owners.memory);
  releaseOwnBuffer(parentIds);
}

/** Returns the row of the parent, or `NO_ROW`. */
export function parentRow({ hasParents, parentIds, tails, owners }: SpanRows, row: number): number {
  if (hasParents[row] === 0) return NO_ROW;
  const key = { bytes: parentIds, spanIdAt: row * SPAN_ID_BYTES, traceTail: tails[row]! };
  return ownerOf(owners, key) - 1;
}

/**
 * Clears the bit of each selector at the spans that match it but lack its relation. `firstBit` is
 * that of the path's first selector. Each selector is compared with the next one, from the last to
 * the first.
 */
export async function relateRows(
  buffer: SearchedBuffer,
  rows: SpanRows,
  path: SpanPath,
  firstBit: number,
): Promise<void> {
  const { relation } = path;
  if (relation === undefined) return;
  await relateRows(buffer, rows, relation.to, firstBit + 1);
  const isRelated = await relationTest(buffer, rows, { kind: relation.kind, path, firstBit });
  const [bit, { matches }] = [1 << firstBit, rows];
  for (let row = 0; row < matches.length; row += 1) {
    if ((matches[row]! & bit) !== 0 && !isRelated(row)) matches[row]! &= ~bit;
  }
}

interface Related {
  readonly kind: RelationKind;
  readonly path: SpanPath;
  readonly firstBit: number;
}

async function relationTest(
  buffer: SearchedBuffer,
  rows: SpanRows,
  { kind, path, firstBit }: Related,
): Promise<(row: number) => boolean> {
  const target = 1 << (firstBit + 1);
  if (kind === "under") return ancestorTest(rows, target);
  if (kind === "linked to") return await linkTest(buffer, rows, path, target);
  return (row) => {
    const parent = parentRow(rows, row);
    return parent !== NO_ROW && (rows.matches[parent]! & target) !== 0;
  };
}

/** These values say whether one of the ancestors of a span matches. */
const UNKNOWN = 0;
const WITHOUT = 1;
const WITH = 2;
/** The span is on the path that is being walked; meeting it again means a cycle of parents. */
const WALKED = 3;

/**
 * Returns the test for an ancestor that matches. What is found for a span is noted for all spans on
 * the way, so that each parent is looked up once, however deep the traces are.
 */
function ancestorTest(rows: SpanRows, target: number): (row: number) => boolean {
  const known = new Uint8Array(rows.matches.length);
  return (row) => {
    let found = UNKNOWN;
    let at = row;
    while (found === UNKNOWN) {
      if (known[at] !== UNKNOWN) {
        found = known[at] === WALKED ? WITHOUT : known[at]!;
        break;
      }
      known[at] = WALKED;
      const parent = parentRow(rows, at);
      if (parent === NO_ROW) found = WITHOUT;
      else if ((rows.matches[parent]! & target) !== 0) found = WITH;
      else at = parent;
    }
    for (at = row; at !== NO_ROW && known[at] === WALKED; at = parentRow(rows, at)) {
      known[at] = found;
    }
    return found === WITH;
  };
}

/** Returns the test for a link to a span that matches, after a pass over the first selector. */
async function linkTest(
  buffer: SearchedBuffer,
  rows: SpanRows,
  { selector }: SpanPath,
  target: number,
): Promise<(row: number) => boolean> {
  const { range, matches } = rows;
  const linked = new Uint8Array(matches.length);
  const scan = { matcher: compileSelector(selector), after: range.first - 1, newestFirst: false };
  await scanRing(buffer, scan, (piece) => {
    buffer.visit({ ...scan, range: piece }, (sequence, { bytes, spanOffset, spanLength }) => {
      if (sequence >= range.next) return false;
      const span = scanFrom(bytes, spanOffset, spanOffset + spanLength);
      while (nextField(span)) {
        if (span.fieldNumber !== LINKS_FIELD) continue;
        const row = linkedRow(rows, bytes, span.valueAt, span.at);
        const isTarget = row !== NO_ROW && (matches[row]! & target) !== 0;
        if (isTarget) linked[sequence - range.first] = 1;
      }
      return true;
    });
    return piece.next >= range.next ? range.next - 1 : undefined;
  });
  return (row) => linked[row] === 1;
}

/** Returns the row of the span to which the link in this range points; links may have no ids. */
function linkedRow({ owners }: SpanRows, bytes: Uint8Array, start: number, end: number): number {
  const link = scanFrom(bytes, start, end);
  let spanIdAt = 0;
  let traceIdAt = 0;
  while (nextField(link)) {
    const { fieldNumber, valueAt, at } = link;
    if (fieldNumber === LINK_SPAN_ID_FIELD && at - valueAt === SPAN_ID_BYTES) spanIdAt = valueAt;
    if (fieldNumber === LINK_TRACE_ID_FIELD && at - valueAt === TRACE_ID_BYTES) traceIdAt = valueAt;
  }
  if (spanIdAt === 0 || traceIdAt === 0) return NO_ROW;
  const owner = ownerOf(owners, { bytes, spanIdAt, traceTail: traceTail(bytes, traceIdAt) });
  return owner === NO_OWNER ? NO_ROW : owner - 1;
}

/** Reports whether the first selector, with all its relations, selects a span. */
export function isSubject({ matches, range }: SpanRows, sequence: number): boolean {
  return ((matches[sequence - range.first] ?? 0) & 1) !== 0;
}

/** Compiles the selectors of paths, in the order of their bits. */
export function matchersOf(...paths: readonly SpanPath[]): SpanMatcher[] {
  return paths.flatMap((path) => selectorsOf(path).map(compileSelector));
}
