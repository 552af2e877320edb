import { type Expectation, isFragile } from "../../domain/expectation/expectation.ts";
import type { SearchedBuffer } from "../../ports/trace-buffer.ts";
import { evaluateExpectation, type Verdict } from "../querying/evaluate-expectation.ts";
import { timeLimit, type TimeLimit, type WaitParts, type WaitRequest } from "./wait-for-spans.ts";

/** The share of the time in which the ring may be searched again while spans arrive: a fifth. */
const PAUSES_PER_EVALUATION = 4;
const MIN_PAUSE_MS = 20;

export interface SettleRequest extends Pick<WaitRequest, "timeoutMs" | "cancelled"> {
  /** Whether expectations that later spans may break are checked until the time is up. */
  readonly holds?: boolean;
}

/** Says how a wait for expectations ended. */
export interface Settled {
  /** Why it ended; `settled` if no expectation lacks spans any more. */
  readonly end: "settled" | "time_up" | "cancelled" | "no_room";
  /** The sequence up to which all spans were checked. */
  readonly checkedNext: number;
  /** Whether spans left the buffer before they could be checked. */
  readonly hasGap: boolean;
}

/**
 * Waits until no expectation lacks spans, or until the time is up. Expectations are evaluated again
 * when spans have arrived, with pauses in proportion to the time that it takes, so that receiving
 * is not slowed down.
 */
export async function settleExpectations(
  { buffer, arrivals, clock }: WaitParts,
  expectations: readonly Expectation[],
  request: SettleRequest,
): Promise<Settled> {
  using resources = new DisposableStack();
  let arrived = Promise.withResolvers<"arrived">();
  const unsubscribe = arrivals.subscribe([], () => arrived.resolve("arrived"));
  const { holds = false } = request;
  // Spans that are evicted at once were old when the wait began.
  let checkedNext = buffer.range().next;
  let hasGap = false;
  if (unsubscribe === undefined) return { end: "no_room", checkedNext, hasGap };
  resources.defer(unsubscribe);
  const limit = resources.use(timeLimit(clock, request));
  const ended = new AbortController();
  resources.defer(() => ended.abort());
  let lacking = expectations;
  while (true) {
    // From here on, a span that arrives leads to another evaluation.
    arrived = Promise.withResolvers();
    const begunMs = clock.monotonicMs();
    const { next } = buffer.range();
    // oxlint-disable-next-line no-await-in-loop -- spans must arrive before the next evaluation
    lacking = await undecidedOf(buffer, lacking, { holds, limit });
    hasGap ||= buffer.range().first > checkedNext;
    checkedNext = next;
    if (lacking.length === 0) return { end: "settled", checkedNext, hasGap };
    const pauseMs = PAUSES_PER_EVALUATION * (clock.monotonicMs() - begunMs);
    const pause = () => clock.sleep(Math.max(MIN_PAUSE_MS, pauseMs), ended.signal);
    // oxlint-disable-next-line no-await-in-loop -- as above
    const end = await Promise.race([arrived.promise.then(pause), limit.over]);
    if (end === "time_up" || end === "cancelled") return { end, checkedNext, hasGap };
  }
}

/** Returns the expectations that more spans may decide, and those not evaluated in time. */
async function undecidedOf(
  buffer: SearchedBuffer,
  expectations: readonly Expectation[],
  { holds, limit }: { readonly holds: boolean; readonly limit: TimeLimit },
): Promise<Expectation[]> {
  const undecided: Expectation[] = [];
  for (const each of expectations) {
    const options = { isUnwanted: limit.isLongOver };
    // oxlint-disable-next-line no-await-in-loop -- one at a time, to bound memory
    const verdict = await evaluateExpectation(buffer, each, verdictOf, options);
    const isHeld = holds && verdict === "met" && isFragile(each);
    if (verdict === "missing" || isHeld) undecided.push(each);
  }
  return undecided;
}

function verdictOf({ verdict }: { readonly verdict: Verdict }): Verdict {
  return verdict;
}
