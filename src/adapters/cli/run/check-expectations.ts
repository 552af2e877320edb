import { type CountedSpans, countSpans } from "../../../application/querying/count-spans.ts";
import { waitForSpans } from "../../../application/waiting/wait-for-spans.ts";
import {
  type Expectation,
  hasMost,
  isAsExpected,
  minCount,
} from "../../../domain/query/expectation.ts";
import { isAnythingLost, lossesOf } from "./losses.ts";
import type { Receiver } from "./receiver.ts";

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

export type Checked = Pick<Receiver, "buffer" | "arrivals" | "problems">;

export interface Settling {
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
  receiver: Checked,
  expectations: readonly Expectation[],
  settling: Settling,
): Promise<CheckedExpectation[]> {
  await Promise.all(expectations.map((each) => settle(receiver, each, settling)));
  return await Promise.all(expectations.map((each) => check(receiver, each)));
}

async function settle(
  receiver: Checked,
  { filter, count }: Expectation,
  { settleMs: timeoutMs, interrupted: cancelled }: Settling,
): Promise<void> {
  const least = minCount(count);
  if (least === 0) return;
  const request = { filter, after: 0, count: least, timeoutMs, cancelled };
  await waitForSpans(receiver, request);
}

async function check(receiver: Checked, expectation: Expectation): Promise<CheckedExpectation> {
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
