import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { SleepingClock } from "../../../ports/clock.ts";
import type { SendOutcome, SpanSink } from "../../../ports/span-sink.ts";
import { requestFromJson } from "../../otlp/json/json-request.ts";
import { type FileRequest, validSpansOf } from "../../otlp-files/file-request.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { BROKER_ADVICE, hintSentence } from "./kafka-settings.ts";
import type { Attempt, SendTarget } from "./send-target.ts";

export interface SinkTargetParts {
  /** The address, as messages show it. */
  readonly name: string;
  readonly sink: SpanSink;
  readonly clock: SleepingClock;
  readonly signal: AbortSignal;
}

/**
 * Returns a target that sends to a Kafka topic. Throws a failure unless the topic exists and
 * accepts spans, so that a mistake shows before a file is read.
 */
export async function sinkTarget(parts: SinkTargetParts): Promise<SendTarget> {
  const { sink, name } = parts;
  const outcome = await readiness(parts);
  if (outcome.outcome !== "delivered") {
    await sink.close();
    const { message, hint } = failedAttempt(outcome);
    const text = `cannot send to ${quotePeerText(name)}: ${message}\n${hint ?? BROKER_ADVICE}`;
    throw new CommandFailure(EXIT_CODE.cannotConnect, text);
  }
  return {
    name,
    speaker: "",
    advice: BROKER_ADVICE,
    exhausted: "unreachable",
    attempt: (request, signal) => attemptOnce(request, sink, signal),
    close: () => sink.close(),
  };
}

/** The pauses before a topic is asked for again: one that was created just now may be unknown. */
const QUESTION_PAUSES_MS = [250, 500, 1_000];

const QUESTION = { request: new Uint8Array(0), spanCount: 0 };

/** Asks whether spans would be accepted. */
async function readiness({ sink, clock, signal }: SinkTargetParts): Promise<SendOutcome> {
  for (const pauseMs of QUESTION_PAUSES_MS) {
    // oxlint-disable-next-line no-await-in-loop -- a question follows the answer to the last one
    const outcome = await sink.send(QUESTION, signal);
    if (!mayChangeSoon(outcome) || signal.aborted) return outcome;
    // oxlint-disable-next-line no-await-in-loop -- and its pause
    await clock.sleep(pauseMs, signal);
  }
  return await sink.send(QUESTION, signal);
}

/** A wrong password is not tried again: the account might be locked. */
function mayChangeSoon(outcome: SendOutcome): boolean {
  if (outcome.outcome === "blocked") return outcome.reason === "not_found";
  return outcome.outcome === "retry" && outcome.isTimeout !== true;
}

async function attemptOnce(
  request: FileRequest,
  sink: SpanSink,
  signal: AbortSignal,
): Promise<Attempt> {
  const bytes = protobufOf(request);
  if (typeof bytes === "string") return { outcome: "refused", message: bytes };
  // Many readers of Kafka cannot decode a message with an invalid span.
  const checked = validSpansOf(bytes);
  if (typeof checked === "string") return { outcome: "too_large", message: checked };
  const { request: valid, spanCount, rejectedSpans, message } = checked;
  if (spanCount === 0) return { outcome: "accepted", rejectedSpans, message };
  const batch = { request: valid as Uint8Array<ArrayBuffer>, spanCount };
  const outcome = await sink.send(batch, signal);
  if (outcome.outcome === "delivered") return { outcome: "accepted", rejectedSpans, message };
  if (outcome.outcome !== "partly_rejected") return failedAttempt(outcome);
  const reasons = [message, outcome.message].filter((reason) => reason !== "");
  return {
    outcome: "accepted",
    rejectedSpans: rejectedSpans + outcome.rejectedSpans,
    message: reasons.join(" "),
  };
}

const JSON_LIMITS = { nestingDepth: 100 };

/** Returns a request in protobuf, which the encoding `otlp_proto` requires, or what is wrong. */
function protobufOf({ bytes, contentType }: FileRequest): Uint8Array | string {
  if (contentType === "application/x-protobuf") return bytes;
  const reading = requestFromJson(bytes, JSON_LIMITS);
  return reading.ok ? reading.request : reading.message;
}

type FailedOutcome = Exclude<SendOutcome, { readonly outcome: "delivered" | "partly_rejected" }>;

function failedAttempt(outcome: SendOutcome): Exclude<Attempt, { outcome: "accepted" }> & {
  readonly hint?: string | undefined;
} {
  const { message = "" } = outcome as FailedOutcome;
  switch (outcome.outcome) {
    case "retry":
      return { outcome: "retry", message, hint: hintSentence(outcome.hint, "--to") };
    case "blocked":
      return {
        outcome: "blocked",
        message,
        hint: hintSentence(outcome.hint, "--to") ?? BROKER_ADVICE,
      };
    case "too_large":
      return { outcome: "too_large", message };
    default:
      return { outcome: "refused", message };
  }
}
