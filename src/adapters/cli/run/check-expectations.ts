import { SYSTEM_CLOCK } from "../../clock/system-clock.ts";
import {
  type Evaluation,
  evaluateExpectation,
} from "../../../application/querying/evaluate-expectation.ts";
import {
  explainExpectation,
  type Explanation,
} from "../../../application/querying/explain-expectation.ts";
import type { CountedSpans } from "../../../application/querying/query-spans.ts";
import { settleExpectations } from "../../../application/waiting/settle-expectations.ts";
import { type Expectation, isFragile } from "../../../domain/expectation/expectation.ts";
import type { Receiver } from "../command/command-run.ts";
import type { ProblemTotal } from "../../../application/receiving/problem-registry.ts";
import { PROBLEM_KINDS } from "../../../domain/problem-reason.ts";
import { problemText } from "../../../domain/problem-text.ts";

export interface CheckedExpectation {
  readonly expectation: Expectation;
  readonly isMet: boolean;
  /**
   * The spans are as expected, but some were lost that might have matched. The expectation is then
   * not met: otherwise "no such span" would pass because spans were evicted or refused.
   */
  readonly isUncertain?: true;
  /** The spans that are counted, and the newest of them or of the wrong ones. */
  readonly seen: CountedSpans;
  /** The number of these that lack what all must have, or that begin too early. */
  readonly wrong: number;
  /** The spans that come closest, if the spans are not as expected. */
  readonly explanation?: Explanation;
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
  { settleMs: timeoutMs, interrupted: cancelled }: SettleOptions,
): Promise<CheckedExpectation[]> {
  const parts = { ...receiver, clock: SYSTEM_CLOCK };
  await settleExpectations(parts, expectations, { timeoutMs, cancelled });
  const checked: CheckedExpectation[] = [];
  for (const each of expectations) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time, to bound memory
    checked.push(await checkExpectation(receiver, each));
  }
  return checked;
}

async function checkExpectation(
  receiver: CheckedReceiver,
  expectation: Expectation,
): Promise<CheckedExpectation> {
  const { buffer } = receiver;
  return await evaluateExpectation(buffer, expectation, async (evaluation) => {
    const seen = seenOf(receiver, evaluation);
    const checked = { expectation, seen, wrong: evaluation.wrong };
    const isAsExpected = evaluation.verdict === "met";
    // Losses are read after the count, so that spans evicted before the count are among them.
    if (isAsExpected && isFragile(expectation) && isAnythingLost(lossesOf(receiver))) {
      return { ...checked, isMet: false, isUncertain: true };
    }
    if (isAsExpected) return { ...checked, isMet: true };
    const explanation = await explainExpectation(buffer, expectation, evaluation);
    return { ...checked, isMet: false, explanation };
  });
}

function seenOf({ buffer }: CheckedReceiver, { found, newest }: Evaluation): CountedSpans {
  return { count: found, newest: buffer.copy(newest) };
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
