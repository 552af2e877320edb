import { type Expectation, isFragile } from "../../domain/expectation/expectation.ts";
import type { CopiedSpans, SequenceRange } from "../../ports/trace-buffer.ts";
import { evaluateExpectation } from "../querying/evaluate-expectation.ts";
import { explainExpectation, type Explanation } from "../querying/explain-expectation.ts";
import { type SettleRequest, settleExpectations } from "./settle-expectations.ts";
import type { WaitParts } from "./wait-for-spans.ts";

/** Bounds the spans that are copied when an expectation is met. */
export const MAX_FOUND_COPIED = 1_000;

export type ExpectationOutcome =
  /** The newest spans that were found, oldest first. */
  | { readonly outcome: "met"; readonly spans: CopiedSpans; readonly range: SequenceRange }
  | UnmetExpectation
  | { readonly outcome: "cancelled" }
  | { readonly outcome: "no_room"; readonly for: "filter" };

export interface UnmetExpectation {
  readonly outcome: "unmet";
  readonly found: number;
  readonly wrong: number;
  /** Whether spans left the buffer before they could be checked, which might have broken it. */
  readonly isUncertain: boolean;
  readonly explanation: Explanation;
  readonly range: SequenceRange;
}

/**
 * Waits until an expectation is met. One that later spans may break is checked once no span is
 * missing; with `holds`, it is checked again until the time is up.
 */
export async function waitForExpectation(
  parts: WaitParts,
  expectation: Expectation,
  request: SettleRequest,
): Promise<ExpectationOutcome> {
  const { buffer } = parts;
  const { end, checkedNext, hasGap } = await settleExpectations(parts, [expectation], request);
  if (end === "cancelled") return { outcome: "cancelled" };
  if (end === "no_room") return { outcome: "no_room", for: "filter" };
  const range = buffer.range();
  const isUncertain = isFragile(expectation) && (hasGap || range.first > checkedNext);
  return await evaluateExpectation(
    buffer,
    expectation,
    async (evaluation): Promise<ExpectationOutcome> => {
      const { verdict, found, wrong, newest } = evaluation;
      const isMet = verdict === "met" && !isUncertain;
      if (isMet) return { outcome: "met", spans: buffer.copy(newest.toReversed()), range };
      const explanation =
        verdict === "met" ? NONE : await explainExpectation(buffer, expectation, evaluation);
      return { outcome: "unmet", found, wrong, isUncertain, explanation, range };
    },
    { maxShown: MAX_FOUND_COPIED },
  );
}

const NONE: Explanation = {
  nearest: [],
  around: { request: new Uint8Array(0), sequences: [] },
};
