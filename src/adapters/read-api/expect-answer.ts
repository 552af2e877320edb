import {
  type ExpectationOutcome,
  type UnmetExpectation,
  waitForExpectation,
} from "../../application/waiting/wait-for-expectation.ts";
import type { Explanation } from "../../application/querying/explain-expectation.ts";
import type { Expectation } from "../../domain/expectation/expectation.ts";
import { readExpectation } from "../../domain/expectation/read-expectation.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import { NANOS_PER_MS } from "../../domain/time.ts";
import type { expectationProblem } from "../api-messages/wait-messages.ts";
import type { HeldAnswer } from "./answer-budget.ts";
import { BUSY, type Problem, problemResponse, STOPPING } from "./problem.ts";
import { badParameter } from "./query.ts";
import type { RouteContext } from "./route.ts";
import { rangeHeaders, rangeMember, spansResponse } from "./span-answer.ts";
import type { SpanType } from "./media-type.ts";
import { type Beyond, NO_ROOM, problemWithSpans, SPANS_PLACEHOLDER } from "./wait-problems.ts";
import type { WaitParts } from "../../application/waiting/wait-for-spans.ts";

/** A wait for an expectation, with everything that its answer needs. */
export interface ExpectWait {
  readonly text: string;
  readonly timeoutMs: number;
  readonly holds: boolean;
  readonly cancelled: AbortSignal;
  readonly held: HeldAnswer;
  readonly type: SpanType;
}

/** Waits for an expectation; the answer has the spans found, or those that come closest. */
export async function answerExpect(
  context: RouteContext,
  parts: WaitParts,
  { text, ...wait }: ExpectWait,
): Promise<Response> {
  const expectation = readExpectation(text, BigInt(Date.now()) * NANOS_PER_MS);
  if ("mistakes" in expectation) return problemResponse(mistakeIn(expectation.mistakes));
  const outcome = await waitForExpectation(parts, expectation, wait);
  return outcomeResponse(context, { ...wait, expectation, outcome });
}

function mistakeIn(mistakes: readonly { column: number; mistake: string }[]): Problem {
  const texts = mistakes.map(({ column, mistake }) => `column ${column}: ${mistake}`);
  return badParameter("expect", `expect has a mistake at ${texts.join("; at ")}`);
}

interface AnsweredExpect extends Pick<ExpectWait, "held" | "type"> {
  readonly expectation: Expectation;
  readonly outcome: ExpectationOutcome;
}

function outcomeResponse(context: RouteContext, answered: AnsweredExpect): Response {
  const { held, type, outcome } = answered;
  switch (outcome.outcome) {
    case "met": {
      const { spans, range } = outcome;
      return spansResponse(context, held, { type, spans: [spans], range });
    }
    case "unmet":
      return unmetResponse(context, held, outcome);
    case "no_room":
      return problemResponse(NO_ROOM[outcome.for]);
    case "cancelled":
      // A client that has disconnected does not read it.
      return problemResponse(held.refusedSpans > 0 ? BUSY : STOPPING);
  }
}

/** Returns 417 with the spans that come closest, and those around the first. */
function unmetResponse(context: RouteContext, held: HeldAnswer, unmet: UnmetExpectation): Response {
  const { found, wrong, isUncertain, explanation, range } = unmet;
  const members: Beyond<typeof expectationProblem> = {
    found,
    wrong,
    uncertain: isUncertain,
    nearest: explanation.nearest.map(nearestMember),
    spans: SPANS_PLACEHOLDER,
    sequence: rangeMember(context.runId, range),
  };
  const detail = isUncertain ? UNCERTAIN : `the expectation is not met; ${found} spans were found`;
  const problem: Problem = { status: 417, detail, members, headers: rangeHeaders(range) };
  return problemWithSpans(context, held, { problem, request: explanation.around.request });
}

const UNCERTAIN =
  "spans left the buffer before they could be checked, and might have broken the expectation; " +
  "raise MAX_BUFFER_SIZE";

/** Quotes texts of peers; the placeholder of the spans occurs in none of them. */
function nearestMember({ traceId, spanId, name, service, count, differences }: Nearest) {
  return {
    traceId,
    spanId,
    name: quotePeerText(name),
    service: quotePeerText(service),
    count,
    differences: differences.map(({ condition, found }) => ({
      condition: quotePeerText(condition),
      found: quotePeerText(found),
    })),
  };
}

type Nearest = Explanation["nearest"][number];
