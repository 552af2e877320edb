import type { Expectation } from "../../domain/expectation/expectation.ts";
import { evaluateExpectation, type Verdict } from "../querying/evaluate-expectation.ts";
import { timeLimit, type TimeLimit, type WaitParts, type WaitRequest } from "./wait-for-spans.ts";

/** The share of the time in which the ring may be searched again while spans arrive: a fifth. */
const PAUSES_PER_EVALUATION = 4;
const MIN_PAUSE_MS = 20;

export type SettleRequest = Pick<WaitRequest, "timeoutMs" | "cancelled">;

/** Why a wait for expectations ended: none lacks spans any more, or the time is up. */
export type SettleEnd = "settled" | "time_up" | "cancelled" | "no_room";

/**
 * Waits until no expectation lacks spans, or until the time is up. Expectations are evaluated again
 * when spans have arrived, with pauses in proportion to the time that it takes, so that receiving
 * is not slowed down.
 */
export async function settleExpectations(
  { buffer, arrivals, clock }: WaitParts,
  expectations: readonly Expectation[],
  request: SettleRequest,
): Promise<SettleEnd> {
  using resources = new DisposableStack();
  let arrived = Promise.withResolvers<"arrived">();
  const unsubscribe = arrivals.subscribe([], () => arrived.resolve("arrived"));
  if (unsubscribe === undefined) return "no_room";
  resources.defer(unsubscribe);
  const limit = resources.use(timeLimit(clock, request));
  const ended = new AbortController();
  resources.defer(() => ended.abort());
  let lacking = expectations;
  while (true) {
    // From here on, a span that arrives leads to another evaluation.
    arrived = Promise.withResolvers();
    const begunMs = clock.monotonicMs();
    // oxlint-disable-next-line no-await-in-loop -- spans must arrive before the next evaluation
    lacking = await lackingOf({ buffer }, lacking, limit);
    if (lacking.length === 0) return "settled";
    const pauseMs = PAUSES_PER_EVALUATION * (clock.monotonicMs() - begunMs);
    const pause = () => clock.sleep(Math.max(MIN_PAUSE_MS, pauseMs), ended.signal);
    // oxlint-disable-next-line no-await-in-loop -- as above
    const end = await Promise.race([arrived.promise.then(pause), limit.over]);
    if (end === "time_up" || end === "cancelled") return end;
  }
}

/** Returns the expectations that lack spans, those that are not evaluated in time included. */
async function lackingOf(
  { buffer }: Pick<WaitParts, "buffer">,
  expectations: readonly Expectation[],
  { isLongOver }: TimeLimit,
): Promise<Expectation[]> {
  const verdicts: Verdict[] = [];
  for (const each of expectations) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time, to bound memory
    verdicts.push(await evaluateExpectation(buffer, each, verdictOf, isLongOver));
  }
  return expectations.filter((_, index) => verdicts[index] === "missing");
}

function verdictOf({ verdict }: { readonly verdict: Verdict }): Verdict {
  return verdict;
}
