import { SYSTEM_CLOCK } from "../../clock/system-clock.ts";
import { type CountedSpans, countSpans } from "../../../application/querying/query-spans.ts";
import { waitForSpans } from "../../../application/waiting/wait-for-spans.ts";
import {
  type Expectation,
  hasMost,
  isAsExpected,
  minCount,
} from "../../../domain/query/expectation.ts";
import type { Receiver } from "../command/command-run.ts";
import type { ProblemTotal } from "../../../application/receiving/problem-registry.ts";
import { PROBLEM_KINDS, problemText } from "../../../domain/problem-reason.ts";

export interface CheckedExpectation {
  readonly expectation: Expectation;
  readonly isMet: boolean;
  /**
   * What was seen is as expected, but there was more, and with it there may be too many. Then it is
   * not met: "none of these" would pass just because nobody has looked.
   */
  readonly isUncertain?: true;
  /** Spans that match. */
  readonly seen: CountedSpans;
  /** Of one that is not met because there are too few: what there is without its last condition. */
  readonly nearest?: CountedSpans & { readonly without: string };
}

export type CheckedReceiver = Pick<Receiver, "buffer" | "arrivals" | "problems">;

export interface SettleOptions {
  readonly settleMs: number;
  /** Nobody wants to wait any longer. */
  readonly interrupted: AbortSignal;
}

/**
 * Checks what a command has emitted. Exporters send what they have before their program ends, but
 * the last of it may still be on its way: what is not there yet is waited for, no longer than
 * `settleMs` in all.
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
  // After the count, so that what was evicted before it could be counted is among the losses.
  if (isMet && hasMost(count) && isAnythingLost(lossesOf(receiver))) {
    return { expectation, isMet: false, isUncertain: true, seen };
  }
  const isShort = !isMet && seen.count < minCount(count);
  if (!isShort || without === undefined) return { expectation, isMet, seen };
  const near = await countSpans(buffer, filter.slice(0, -1));
  return { expectation, isMet, seen, nearest: { without, ...near } };
}

/** What was refused or discarded, and whether anything came in at all. */
export interface Losses {
  readonly problems: readonly ProblemTotal[];
  readonly hasSpans: boolean;
}

export function lossesOf({ buffer, problems }: Pick<Receiver, "buffer" | "problems">): Losses {
  const hasSpans = buffer.stats().spans.received > 0;
  return { problems: problems().filter(({ count }) => count > 0), hasSpans };
}

/** Whether what was refused or discarded may have matched. */
export function isAnythingLost({ problems }: Losses): boolean {
  return problems.some(mayLoseSpans);
}

/**
 * Why spans may be missing, and what to do. Where nothing came in at all, everything that came in
 * its place: it may be all that an exporter has sent.
 */
export function lossTexts({ problems, hasSpans }: Losses): string[] {
  if (!hasSpans) return problems.map((each) => `no span arrived, but ${lossText(each)}`);
  return problems.filter(mayLoseSpans).map((each) => `spans may be missing: ${lossText(each)}`);
}

function mayLoseSpans({ reason }: ProblemTotal): boolean {
  return PROBLEM_KINDS[reason].mayLoseSpans;
}

function lossText({ reason, count, detail, hint }: ProblemTotal): string {
  const why = detail === "" ? "" : ` (${detail})`;
  return `${problemText(reason, count)}${why}; ${hint}`;
}
