import { isWithin } from "../../domain/expectation/count-range.ts";
import {
  type Expectation,
  selectorsOf,
  type Selector,
} from "../../domain/expectation/expectation.ts";
import {
  besides,
  compileSelector,
  everySpan,
} from "../../domain/expectation/expectation-matcher.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";
import { count, emptyTally, type Tally } from "./expectation-tally.ts";
import {
  isSubject,
  matchersOf,
  readSpanRows,
  relateRows,
  releaseRows,
  type SpanRows,
} from "./related-spans.ts";
import { scanRing } from "./ring-scan.ts";
import { readTraceOrder } from "./trace-order.ts";

/**
 * Says whether an expectation is met. If not, spans are `missing`, which may still arrive, or it is
 * `broken`, whatever arrives.
 */
export type Verdict = "met" | "missing" | "broken";

export interface Evaluation {
  readonly verdict: Verdict;
  /** The number of spans that the subject selects; for `before`, of those that must begin later. */
  readonly found: number;
  /** The number of these that lack the requirement, or begin too early. */
  readonly wrong: number;
  /** The sequences of the newest few: of the wrong ones or, without any, of those found. */
  readonly newest: readonly number[];
  /** For `before`, how much too early each of the newest wrong ones begins, as far as known. */
  readonly gapsNano?: readonly (bigint | undefined)[];
  /** Present if spans were compared with others. */
  readonly rows?: SpanRows;
}

export interface EvaluationOptions {
  /** Reports whether the result is no longer wanted; the evaluation then ends early. */
  readonly isUnwanted?: () => boolean;
  /** How many of the newest spans are reported. */
  readonly maxShown?: number;
}

const NEVER = () => false;
const USUALLY_SHOWN = 5;

/**
 * Evaluates an expectation in one pass over the ring, or in a few if it compares spans with others,
 * and passes the result to `use`. A comparison takes about 50 bytes of memory for each span, which
 * are freed at the end.
 */
export async function evaluateExpectation<Result>(
  buffer: SearchedBuffer,
  expectation: Expectation,
  use: (evaluation: Evaluation) => Result | Promise<Result>,
  options: EvaluationOptions = {},
): Promise<Result> {
  const { subject, later } = expectation;
  if (subject.relation === undefined && later === undefined) {
    return await use(await evaluateAlone(buffer, expectation, options));
  }
  return await inTurn(() => evaluateRelated(buffer, expectation, use, options));
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** Lets evaluations that compare spans take turns, so that all together need the memory of one. */
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = lastTurn.then(work);
  lastTurn = result.catch(() => {});
  return result;
}

async function evaluateRelated<Result>(
  buffer: SearchedBuffer,
  { subject, later, requirement, ...expectation }: Expectation,
  use: (evaluation: Evaluation) => Result | Promise<Result>,
  { isUnwanted = NEVER, maxShown = USUALLY_SHOWN }: EvaluationOptions,
): Promise<Result> {
  const paths = later === undefined ? [subject] : [subject, later];
  const rows = await readSpanRows(buffer, matchersOf(...paths), isUnwanted);
  try {
    const laterBit = selectorsOf(subject).length;
    await relateRows(buffer, rows, subject, 0);
    if (later === undefined) {
      const tally = await tallyRows(buffer, rows, { requirement, maxShown });
      return await use({ verdict: verdictOf(expectation, tally), ...shownOf(tally), rows });
    }
    await relateRows(buffer, rows, later, laterBit);
    const order = await readTraceOrder(
      buffer,
      rows,
      { earlier: 1, later: 1 << laterBit },
      maxShown,
    );
    const { gapsNano } = order;
    return await use({ verdict: orderVerdict(order), ...shownOf(order), gapsNano, rows });
  } finally {
    releaseRows(rows);
  }
}

function shownOf({ found, wrong, newestFound, newestWrong }: Tally) {
  return { found, wrong, newest: wrong > 0 ? newestWrong : newestFound };
}

/** Evaluates an expectation that compares no spans, in one pass. */
async function evaluateAlone(
  buffer: SearchedBuffer,
  expectation: Expectation,
  { isUnwanted = NEVER, maxShown = USUALLY_SHOWN }: EvaluationOptions,
): Promise<Evaluation> {
  const { subject, requirement } = expectation;
  const required = requirement === undefined ? [] : [compileSelector(requirement)];
  const matcher = besides(compileSelector(subject.selector), required);
  const tally = emptyTally(maxShown);
  const scan = { matcher, after: 0, newestFirst: true };
  await scanRing(buffer, scan, (range) => {
    if (isUnwanted()) return range.first;
    buffer.visit({ ...scan, range }, (sequence, location) => {
      count(tally, sequence, !required.every((each) => each.matches(location)));
      return true;
    });
    return undefined;
  });
  return { verdict: verdictOf(expectation, tally), ...shownOf(tally) };
}

/** Counts the rows of the subject; those that lack the requirement are wrong. */
async function tallyRows(
  buffer: SearchedBuffer,
  rows: SpanRows,
  {
    requirement,
    maxShown,
  }: { readonly requirement: Selector | undefined; readonly maxShown: number },
): Promise<Tally> {
  const tally = emptyTally(maxShown);
  const required = requirement === undefined ? [] : [compileSelector(requirement)];
  const after = rows.range.first - 1;
  const scan = { matcher: everySpan(required), after, newestFirst: true };
  await scanRing(buffer, scan, (range) => {
    buffer.visit({ ...scan, range }, (sequence, location) => {
      if (!isSubject(rows, sequence)) return true;
      count(tally, sequence, !required.every((each) => each.matches(location)));
      return true;
    });
    return undefined;
  });
  return tally;
}

function verdictOf({ count: range }: Pick<Expectation, "count">, { found, wrong }: Tally): Verdict {
  if (wrong > 0 || found > range.max) return "broken";
  return isWithin(range, found) ? "met" : "missing";
}

/** A span that begins too early may be preceded by one that has yet to arrive. */
function orderVerdict({ found, wrong }: Tally): Verdict {
  return found > 0 && wrong === 0 ? "met" : "missing";
}
