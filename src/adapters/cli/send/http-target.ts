import type { SendOutcome } from "../../../ports/span-sink.ts";
import type { SleepingClock } from "../../../ports/clock.ts";
import { readHttpAnswer } from "../../otlp/http-answer.ts";
import type { FileRequest } from "../../otlp-files/file-request.ts";
import { type Access, SET_A_TOKEN } from "../api/access.ts";
import { answerLimit } from "../api/ask-api.ts";
import { connectionFault, routeTo } from "../api/connection-fault.ts";
import type { Attempt, ExportAnswer, SendTarget } from "./send-target.ts";

export const TRACES_PATH = "/v1/traces";

export interface HttpTargetParts {
  readonly url: string;
  readonly access: Access;
  readonly clock: SleepingClock;
}

/** The time for a whole request and its response: a slow connection may need most of it. */
const ANSWER_LIMIT_MS = 60_000;
const UNANSWERED = `it has not responded within ${ANSWER_LIMIT_MS / 1_000} s`;

const UNAUTHENTICATED = 401;

/** Returns a target that sends to an OTLP/HTTP receiver. */
export function httpTarget(parts: HttpTargetParts): SendTarget {
  return {
    name: parts.url,
    speaker: "the receiver says: ",
    advice: "Start spanring there, or set --to to an OTLP/HTTP receiver.",
    exhausted: "refusing",
    attempt: (request, signal) => attemptOnce(request, signal, parts),
    close: async () => {},
  };
}

async function attemptOnce(
  { bytes, contentType, spanCount }: FileRequest,
  signal: AbortSignal,
  parts: HttpTargetParts,
): Promise<Attempt> {
  using limit = answerLimit(parts.clock, ANSWER_LIMIT_MS);
  try {
    const { url, options } = routeTo(parts.url, "", TRACES_PATH);
    const response = await fetch(url, {
      method: "POST",
      ...parts.access,
      headers: {
        "Content-Type": contentType,
        "User-Agent": "spanring",
        ...parts.access.headers,
      },
      body: bytes as Uint8Array<ArrayBuffer>,
      // Bun's own limit is five minutes.
      timeout: false,
      signal: AbortSignal.any([limit.signal, signal]),
      // A redirected POST becomes a GET, which succeeds without the spans.
      redirect: "manual",
      ...options,
    });
    const answer = await readExportAnswer(response, spanCount);
    if (response.status !== UNAUTHENTICATED) return answer;
    return { outcome: "blocked", message: answer.message, hint: SET_A_TOKEN };
  } catch (error) {
    const message = limit.signal.aborted ? UNANSWERED : connectionFault(error);
    return { outcome: "unreachable", message };
  }
}

/** Reads the whole response to a request of `spanCount` spans. */
export async function readExportAnswer(
  response: Response,
  spanCount: number,
): Promise<ExportAnswer> {
  return exportAnswerOf(await readHttpAnswer(response, spanCount));
}

function exportAnswerOf(outcome: SendOutcome): ExportAnswer {
  const { message = "" } = outcome;
  switch (outcome.outcome) {
    case "delivered":
      return { outcome: "accepted", rejectedSpans: 0, message };
    case "partly_rejected":
      return { outcome: "accepted", rejectedSpans: outcome.rejectedSpans, message };
    case "retry": {
      const { afterMs } = outcome;
      return { outcome: "retry", message, ...(afterMs === undefined ? {} : { afterMs }) };
    }
    case "too_large":
      return { outcome: "too_large", message };
    case "refused":
    case "blocked":
      return { outcome: "refused", message };
  }
}
