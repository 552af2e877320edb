import { SYSTEM_CLOCK } from "../../clock/system-clock.ts";
import { type CountedSpans, countSpans } from "../../../application/querying/query-spans.ts";
import { waitForSpans } from "../../../application/waiting/wait-for-spans.ts";
import {
  type Expectation,
  hasMaximum,
  isAsExpected,
  minCount,
} from "../../../domain/query/expectation.ts";
import type { Receiver } from "../command/command-run.ts";
import type { ProblemTotal } from "../../../application/receiving/problem-registry.ts";
import { PROBLEM_KINDS } from "../../../domain/problem-reason.ts";
import { problemText } from "../../../domain/problem-text.ts";

export interface CheckedExpectation {
  readonly expectation: Expectation;
  readonly isMet: boolean;
  /**
   * The count is as expected, but spans were lost that might have matched. The expectation is then
   * not met: otherwise "no such span" would pass because spans were evicted or refused.
   */
  readonly isUncertain?: true;
  /** The spans that match. */
  readonly seen: CountedSpans;
  /** The spans that match without the last condition, if too few match all of them. */
  readonly nearest?: CountedSpans & { readonly without: string };
}

export type CheckedReceiver = Pick<Receiver, "buffer" | "arrivals" | "problems">;

export interface SettleOptions {
  readonly settleMs: number;
  /** Aborts when the user interrupts the wait. */
  readonly interrupted: AbortSignal;
}

/**
 * Checks the spans that a command has emitted. Exporters flush before their program ends, but the
 * last spans may still be in flight, so the check waits up to `settleMs` for missing ones.
 */
export async function checkExpectations(
  receiver: CheckedReceiver,
  expectations: readonly Expectation[],
  options: SettleOptions,
): Promise<CheckedExpectation[]> {
  await Promise.all(expectations.map((each) => settle(receiver, each, options)));
  return await Promise.all(expectations.map((each) => check(receiver, each)));
}

async function settle(
  receiver: CheckedReceiver,
  { filter, count }: Expectation,
  { settleMs: timeoutMs, interrupted: cancelled }: SettleOptions,
): Promise<void> {
  const least = minCount(count);
  if (least === 0) return;
  const request = { filter, after: 0, count: least, timeoutMs, cancelled };
  await waitForSpans({ ...receiver, clock: SYSTEM_CLOCK }, request);
}

async function check(
  receiver: CheckedReceiver,
  expectation: Expectation,
): Promise<CheckedExpectation> {
  const { buffer } = receiver;
  const { filter, lastCondition: without, count } = expectation;
  const seen = await countSpans(buffer, filter);
  const isMet = isAsExpected(count, seen.count);
  // Losses are read after the count, so that spans evicted before the count are among them.
  if (isMet && hasMaximum(count) && isAnythingLost(lossesOf(receiver))) {
    return { expectation, isMet: false, isUncertain: true, seen };
  }
  const isShort = !isMet && seen.count < minCount(count);
  if (!isShort || without === undefined) return { expectation, isMet, seen };
  const near = await countSpans(buffer, filter.slice(0, -1));
  return { expectation, isMet, seen, nearest: { without, ...near } };
}

/** The problems of a run, and whether any span was received. */
export interface Losses {
  readonly problems: readonly ProblemTotal[];
  readonly hasSpans: boolean;
}

export function lossesOf({ buffer, problems }: Pick<Receiver, "buffer" | "problems">): Losses {
  const hasSpans = buffer.stats().spans.received > 0;
  return { problems: problems().filter(({ count }) => count > 0), hasSpans };
}

/** Reports whether spans were refused or discarded that might have matched. */
export function isAnythingLost({ problems }: Losses): boolean {
  return problems.some(mayLoseSpans);
}

/**
 * Returns why spans may be missing, and what to do about it. If no span was received, it lists
 * every problem, because the exporter may have sent nothing else.
 */
export function lossTexts({ problems, hasSpans }: Losses): string[] {
  const listed = problems.filter(isFirstOfShortage);
  if (!hasSpans) return listed.map((each) => `no span arrived, but ${lossText(each)}`);
  return listed.filter(mayLoseSpans).map((each) => `spans may be missing: ${lossText(each)}`);
}

/** A shortage concerns the whole process, but is counted for each port. */
function isFirstOfShortage({ reason }: ProblemTotal, index: number, all: readonly ProblemTotal[]) {
  const isShortage = PROBLEM_KINDS[reason].noun === "shortage";
  return !isShortage || all.findIndex((each) => each.reason === reason) === index;
}

function mayLoseSpans({ reason }: ProblemTotal): boolean {
  return PROBLEM_KINDS[reason].mayLoseSpans;
}

function lossText({ reason, count, detail, hint }: ProblemTotal): string {
  const why = detail === "" ? "" : ` (${detail})`;
  return `${problemText(reason, count)}${why}; ${hint}`;
}
