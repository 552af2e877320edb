import { connectionFault, routeTo } from "../api/connection-fault.ts";
import type { Access } from "../api/access.ts";
import { answerLimit } from "../api/ask-api.ts";
import type { SleepingClock } from "../../../ports/clock.ts";
import type { FileRequest } from "../../otlp-files/file-request.ts";
import { requestSlices } from "../files/request-slices.ts";
import type { Pacing } from "./pacing.ts";
import type { SendOutcome } from "../../../ports/span-sink.ts";
import { readHttpAnswer } from "../../otlp/http-answer.ts";

export const TRACES_PATH = "/v1/traces";

export interface SendParts {
  readonly url: string;
  readonly access: Access;
  readonly pacing: Pacing;
  readonly clock: SleepingClock;
  /** Aborted when the user interrupts the command. */
  readonly signal: AbortSignal;
  /** Called when a request has ended, successfully or not. */
  readonly progressed: (tally: Tally) => void;
}

/** Counts what happened to the requests. */
export interface Tally {
  /** Requests that were accepted in full or in part. */
  requests: number;
  /** Spans of accepted requests, without rejected spans. */
  spans: number;
  bytes: number;
  rejectedSpans: number;
  refusedRequests: number;
  refusedSpans: number;
  /** Bytes of the files whose requests have ended. */
  fileBytes: number;
  /** The distinct messages of receivers. */
  readonly messages: Set<string>;
  /** The size of the smallest body that was too large for the receiver. */
  tooLargeBytes: number;
  /** Why sending ended early; undefined while it continues. */
  end: SendEnd | undefined;
}

export interface SendEnd {
  readonly reason: "unreachable" | "unauthenticated" | "refusing" | "interrupted";
  readonly message: string;
}

/** The number of concurrent requests, which keeps a receiver busy during round trips. */
const MAX_IN_FLIGHT = 4;

const MAX_ATTEMPTS = 6;
const FIRST_DELAY_MS = 250;
/** The upper bound of a delay that a receiver requests. */
const LONGEST_DELAY_MS = 30_000;

/** The time for a whole request and its response: a slow connection may need most of it. */
const ANSWER_LIMIT_MS = 60_000;
const UNANSWERED = `it has not responded within ${ANSWER_LIMIT_MS / 1_000} s`;

/** Bounds the memory if a receiver sends ever new messages. */
const MAX_MESSAGES = 20;

export function newTally(): Tally {
  return {
    requests: 0,
    spans: 0,
    bytes: 0,
    rejectedSpans: 0,
    refusedRequests: 0,
    refusedSpans: 0,
    fileBytes: 0,
    messages: new Set(),
    tooLargeBytes: Infinity,
    end: undefined,
  };
}

/** Sends each request when it is due, a few at a time, until the last one or `tally.end`. */
export async function sendRequests(
  requests: AsyncIterable<FileRequest>,
  tally: Tally,
  parts: SendParts,
): Promise<void> {
  const { clock, signal, pacing } = parts;
  const inFlight = new Set<Promise<void>>();
  let startedMs: number | undefined;
  for await (const request of untilAborted(inSlices(requests, pacing.maxSpans), signal)) {
    if (request === ABORTED) {
      tally.end ??= INTERRUPTED;
      break;
    }
    startedMs ??= clock.monotonicMs();
    const waitMs = startedMs + pacing.dueMs(request) - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
    if (signal.aborted) tally.end ??= INTERRUPTED;
    if (tally.end !== undefined) break;
    const sending = sendOne(request, tally, parts).finally(() => inFlight.delete(sending));
    inFlight.add(sending);
  }
  await Promise.all(inFlight);
}

async function* inSlices(requests: AsyncIterable<FileRequest>, maxSpans: number) {
  for await (const request of requests) yield* requestSlices(request, maxSpans);
}

const INTERRUPTED: SendEnd = { reason: "interrupted", message: "interrupted" };

/** Sends a request, in parts if it is too large for the receiver. */
async function sendOne(request: FileRequest, tally: Tally, parts: SendParts): Promise<void> {
  const isKnown = request.bytes.length >= tally.tooLargeBytes && request.spanCount > 1;
  const answer = isKnown ? TOO_LARGE : await finalAnswer(request, tally, parts);
  if (answer.outcome === "unreachable" || answer.outcome === "unauthenticated") return;
  if (answer.outcome !== "too_large" || request.spanCount <= 1) {
    enter(tally, request, answer);
    parts.progressed(tally);
    return;
  }
  tally.tooLargeBytes = Math.min(tally.tooLargeBytes, request.bytes.length);
  for (const part of requestSlices(request, Math.ceil(request.spanCount / 2))) {
    if (tally.end !== undefined) return;
    // oxlint-disable-next-line no-await-in-loop -- other requests in flight keep the receiver busy
    await sendOne(part, tally, parts);
  }
}

const TOO_LARGE: Attempt = { outcome: "too_large", message: "" };

/** Retries as the receiver requests. Returns "unreachable" also if sending has ended meanwhile. */
async function finalAnswer(request: FileRequest, tally: Tally, parts: SendParts): Promise<Attempt> {
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a retry follows the response
    const answer = await attemptOnce(request, parts);
    const { outcome, message } = answer;
    if (parts.signal.aborted) tally.end ??= INTERRUPTED;
    if (outcome === "unreachable" || outcome === "unauthenticated") {
      tally.end ??= { reason: outcome, message };
    }
    if (tally.end !== undefined && outcome !== "accepted") {
      return { outcome: "unreachable", message };
    }
    if (outcome !== "retry" || attempt === MAX_ATTEMPTS) return answer;
    const delayMs = answer.afterMs ?? FIRST_DELAY_MS * 2 ** (attempt - 1);
    // oxlint-disable-next-line no-await-in-loop -- and its pause
    await parts.clock.sleep(Math.min(delayMs, LONGEST_DELAY_MS), parts.signal);
  }
}

/** Without a right token, the receiver would refuse every other request too. */
type Attempt =
  | ExportAnswer
  | { readonly outcome: "unreachable"; readonly message: string }
  | { readonly outcome: "unauthenticated"; readonly message: string };

const UNAUTHENTICATED = 401;

async function attemptOnce(request: FileRequest, parts: SendParts): Promise<Attempt> {
  const { bytes, contentType, spanCount } = request;
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
      signal: AbortSignal.any([limit.signal, parts.signal]),
      // A redirected POST becomes a GET, which succeeds without the spans.
      redirect: "manual",
      ...options,
    });
    const answer = await readExportAnswer(response, spanCount);
    if (response.status !== UNAUTHENTICATED) return answer;
    return { outcome: "unauthenticated", message: answer.message };
  } catch (error) {
    const message = limit.signal.aborted ? UNANSWERED : connectionFault(error);
    return { outcome: "unreachable", message };
  }
}

/** Counts a request by its outcome. */
function enter(tally: Tally, request: FileRequest, answer: ExportAnswer): void {
  const { spanCount, bytes, fileBytes } = request;
  tally.fileBytes += fileBytes;
  if (answer.message !== "" && tally.messages.size < MAX_MESSAGES) {
    tally.messages.add(answer.message);
  }
  if (answer.outcome === "accepted") {
    tally.requests += 1;
    tally.bytes += bytes.length;
    tally.rejectedSpans += answer.rejectedSpans;
    tally.spans += spanCount - answer.rejectedSpans;
    return;
  }
  tally.refusedRequests += 1;
  tally.refusedSpans += spanCount;
  if (answer.outcome === "retry") tally.end ??= { reason: "refusing", message: answer.message };
}

/** The response of a receiver to a request. */
export type ExportAnswer =
  /** `message` may be a warning about spans that were all accepted. */
  | { readonly outcome: "accepted"; readonly rejectedSpans: number; readonly message: string }
  | { readonly outcome: "refused"; readonly message: string }
  /** The receiver accepts no request of this size, but may accept parts of it. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** The receiver is temporarily unable to accept it. */
  | { readonly outcome: "retry"; readonly message: string; readonly afterMs?: number };

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

/** The last item if the signal was aborted before the end. */
export const ABORTED = Symbol("aborted");

/**
 * Yields items until a signal is aborted, even while the next item is awaited, as from a pipe. The
 * source is then abandoned, because a pending read cannot be cancelled.
 */
export async function* untilAborted<Item>(
  items: AsyncIterable<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item | typeof ABORTED> {
  const { promise: aborted, resolve } = Promise.withResolvers<typeof ABORTED>();
  const abort = (): void => resolve(ABORTED);
  const iterator = items[Symbol.asyncIterator]();
  signal.addEventListener("abort", abort);
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- an item comes after the one before it
      const next = signal.aborted ? ABORTED : await Promise.race([iterator.next(), aborted]);
      if (next === ABORTED) yield ABORTED;
      if (next === ABORTED || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    void iterator.return?.();
  }
}
