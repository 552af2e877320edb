import {
  type Expectation,
  pathText,
  relationText,
  type Selector,
  type SpanPath,
  type SpanRelation,
  type WrittenCondition,
} from "../../domain/expectation/expectation.ts";
import { compileCondition, everySpan } from "../../domain/expectation/expectation-matcher.ts";
import { durationText, foundValue } from "../../domain/expectation/found-value.ts";
import type { SpanLocation } from "../../domain/query/span-matcher.ts";
import { serviceName } from "../../domain/wire/resource.ts";
import {
  createSpanFields,
  readSpanFields,
  spanIdHex,
  spanName,
  traceIdHex,
} from "../../domain/wire/span-fields.ts";
import type { CopiedSpans, SearchedBuffer } from "../../ports/trace-buffer.ts";
import type { Evaluation } from "./evaluate-expectation.ts";
import { findNearSpans } from "./nearest-spans.ts";
import { isSubject, NO_ROW, parentRow, type SpanRows } from "./related-spans.ts";
import { familyOf } from "./span-family.ts";

/** Explains why an expectation is not met, by spans that come close to it. */
export interface Explanation {
  readonly nearest: readonly NearMiss[];
  /** The first of these spans with those around it in its trace; empty without a near miss. */
  readonly around: CopiedSpans;
}

/** A span, or several alike, that comes close. All its texts are those of a peer. */
export interface NearMiss {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  readonly service: string;
  /** The number of spans like it. */
  readonly count: number;
  readonly differences: readonly Difference[];
}

export interface Difference {
  /** The condition as written. */
  readonly condition: string;
  /** What the span has instead. */
  readonly found: string;
}

const MAX_WRONG_SHOWN = 5;

const NO_SPANS: CopiedSpans = { request: new Uint8Array(0), sequences: [] };

/** Explains an evaluation that is not met. It searches the ring again. */
export async function explainExpectation(
  buffer: SearchedBuffer,
  expectation: Expectation,
  evaluation: Evaluation,
  isUnwanted = () => false,
): Promise<Explanation> {
  const nearest = await nearMisses(buffer, expectation, { evaluation, isUnwanted });
  const [first] = nearest;
  if (first === undefined || isUnwanted()) return { nearest, around: NO_SPANS };
  return { nearest, around: buffer.copy(await familyOf(buffer, first)) };
}

interface Search {
  readonly evaluation: Evaluation;
  readonly isUnwanted: () => boolean;
}

async function nearMisses(
  buffer: SearchedBuffer,
  { subject, requirement, later, count }: Expectation,
  search: Search,
): Promise<NearMiss[]> {
  const { evaluation } = search;
  const { gapsNano = [] } = evaluation;
  const newest = evaluation.newest.slice(0, MAX_WRONG_SHOWN);
  if (later !== undefined && evaluation.found === 0) return await nearPath(buffer, later, search);
  if (later !== undefined) {
    const early = missesOf(buffer, newest, (_, index) => [orderMiss(subject, gapsNano[index])]);
    const isNoneBefore = gapsNano.every((gap) => gap === undefined);
    return isNoneBefore ? [...early, ...(await nearPath(buffer, subject, search))] : early;
  }
  if (evaluation.wrong > 0) {
    return missesOf(buffer, newest, unmetIn(requirement!));
  }
  if (evaluation.found > count.max) return missesOf(buffer, newest.slice(0, 1), () => []);
  return await nearPath(buffer, subject, search);
}

function orderMiss(subject: SpanPath, gapNano: bigint | undefined): Difference {
  const condition = `${pathText(subject)} before it`;
  if (gapNano === undefined) return { condition, found: "none in its trace" };
  if (gapNano === 0n) return { condition, found: "one at the same time" };
  return { condition, found: `the first one ${durationText(Number(gapNano))} after it` };
}

/** Returns the spans that come closest to a path; those that lack only the relation come first. */
async function nearPath(
  buffer: SearchedBuffer,
  { selector, relation }: SpanPath,
  { evaluation: { rows }, isUnwanted }: Search,
): Promise<NearMiss[]> {
  const isNear = (sequence: number) =>
    relation !== undefined && (rows === undefined || !isSubject(rows, sequence));
  const near = await findNearSpans(buffer, { selector, isNear, isUnwanted });
  return near.flatMap((each) => {
    const unrelated =
      each.unmet.length > 0 || relation === undefined || rows === undefined
        ? undefined
        : relationMiss(buffer, rows, relation, each.sequence);
    const misses = missesOf(buffer, [each.sequence], (location) =>
      unrelated === undefined ? differences(each.unmet, location) : [unrelated],
    );
    return misses.map((miss) => Object.assign(miss, { count: each.count }));
  });
}

const LINKS = { text: "link", test: { on: "link", id: undefined, attributes: [] } } as const;
const MAX_ANCESTORS = 4;

/** Returns what a span relates to instead. */
function relationMiss(
  buffer: SearchedBuffer,
  rows: SpanRows,
  relation: SpanRelation,
  sequence: number,
): Difference {
  const condition = relationText(relation);
  if (relation.kind === "linked to") {
    return {
      condition,
      found: readSpan(buffer, sequence, (span) => foundValue(LINKS, span)) ?? "",
    };
  }
  const most = relation.kind === "under" ? MAX_ANCESTORS : 1;
  const names: string[] = [];
  let row = parentRow(rows, sequence - rows.range.first);
  for (; row !== NO_ROW && names.length < most; row = parentRow(rows, row)) {
    names.push(readSpan(buffer, rows.range.first + row, nameOf) ?? "");
  }
  if (names.length > 0) return { condition, found: `under ${names.join(", under ")}` };
  const isOrphan = rows.hasParents[sequence - rows.range.first] === 1;
  return { condition, found: isOrphan ? "a parent that has not arrived" : "no parent" };
}

function unmetIn({ conditions }: Selector): (location: SpanLocation) => Difference[] {
  const matchers = conditions.map(compileCondition);
  return (location) => {
    for (const matcher of matchers) matcher.reset();
    return differences(
      conditions.filter((_, index) => !matchers[index]!.matches(location)),
      location,
    );
  };
}

function differences(unmet: readonly WrittenCondition[], location: SpanLocation): Difference[] {
  return unmet.map((condition) => ({
    condition: condition.text,
    found: foundValue(condition, location),
  }));
}

/** Describes spans, skipping those that have been evicted. */
function missesOf(
  buffer: SearchedBuffer,
  sequences: readonly number[],
  differencesOf: (location: SpanLocation, index: number) => Difference[],
): NearMiss[] {
  return sequences.flatMap(
    (sequence, index) =>
      readSpan(buffer, sequence, (location) => missOf(location, differencesOf(location, index))) ??
      [],
  );
}

const fields = createSpanFields();

function missOf(location: SpanLocation, found: Difference[]): NearMiss {
  const { bytes, spanOffset, spanLength, resourceOffset, resourceLength } = location;
  readSpanFields(fields, bytes, spanOffset, spanLength);
  const service = serviceName(bytes, resourceOffset, resourceLength);
  const ids = { traceId: traceIdHex(fields), spanId: spanIdHex(fields) };
  return { ...ids, name: spanName(fields), service, count: 1, differences: found };
}

function nameOf({ bytes, spanOffset, spanLength }: SpanLocation): string {
  readSpanFields(fields, bytes, spanOffset, spanLength);
  return spanName(fields);
}

/** Reads one span in place; undefined if it has been evicted. */
function readSpan<Result>(
  buffer: SearchedBuffer,
  sequence: number,
  read: (location: SpanLocation) => Result,
): Result | undefined {
  const range = { first: sequence, next: sequence + 1 };
  let result: Result | undefined;
  buffer.visit({ matcher: everySpan([]), newestFirst: false, range }, (_, location) => {
    result = read(location);
    return false;
  });
  return result;
}
