import type { SleepingClock } from "../../../ports/clock.ts";
import type { FileRequest } from "../../otlp-files/file-request.ts";
import { requestSlices } from "../files/request-slices.ts";
import type { Pacing } from "./pacing.ts";
import type { Attempt, ExportAnswer, SendTarget } from "./send-target.ts";

export interface SendParts {
  readonly target: SendTarget;
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
  readonly reason: "unreachable" | "blocked" | "refusing" | "interrupted";
  readonly message: string;
  /** Says what to do; undefined if the target's advice applies. */
  readonly hint?: string | undefined;
}

/** The number of concurrent requests, which keeps a receiver busy during round trips. */
const MAX_IN_FLIGHT = 4;

const MAX_ATTEMPTS = 6;
const FIRST_DELAY_MS = 250;
/** The upper bound of a delay that a receiver requests. */
const LONGEST_DELAY_MS = 30_000;

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
  using grace = graceAfter(signal, clock);
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
    const sending = sendOne(request, tally, { ...parts, grace: grace.signal });
    const ended = sending.finally(() => inFlight.delete(ended));
    inFlight.add(ended);
  }
  await Promise.all(inFlight);
}

/** How long an interruption waits for requests in flight, so that they are counted. */
const GRACE_MS = 1_000;

/** Returns a signal that is aborted a while after another one. */
function graceAfter(signal: AbortSignal, clock: SleepingClock): Disposable & SignalHolder {
  const [over, unused] = [new AbortController(), new AbortController()];
  const begin = (): void => {
    void clock.sleep(GRACE_MS, unused.signal).then(() => over.abort());
  };
  signal.addEventListener("abort", begin, { once: true });
  const dispose = (): void => {
    signal.removeEventListener("abort", begin);
    unused.abort();
  };
  return { signal: over.signal, [Symbol.dispose]: dispose };
}

interface SignalHolder {
  readonly signal: AbortSignal;
}

interface SendingParts extends SendParts {
  /** Aborted when requests in flight must end. */
  readonly grace: AbortSignal;
}

async function* inSlices(requests: AsyncIterable<FileRequest>, maxSpans: number) {
  for await (const request of requests) yield* requestSlices(request, maxSpans);
}

const INTERRUPTED: SendEnd = { reason: "interrupted", message: "interrupted" };

/** Sends a request, in parts if it is too large for the receiver. */
async function sendOne(request: FileRequest, tally: Tally, parts: SendingParts): Promise<void> {
  const isKnown = request.bytes.length >= tally.tooLargeBytes && request.spanCount > 1;
  const answer = isKnown ? TOO_LARGE : await finalAnswer(request, tally, parts);
  if (answer.outcome === "unreachable" || answer.outcome === "blocked") return;
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
async function finalAnswer(
  request: FileRequest,
  tally: Tally,
  parts: SendingParts,
): Promise<Attempt> {
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a retry follows the response
    const answer = await parts.target.attempt(request, parts.grace);
    if (parts.signal.aborted) tally.end ??= INTERRUPTED;
    const isLast = attempt === MAX_ATTEMPTS;
    tally.end ??= endOf(answer, isLast ? parts.target.exhausted : "retried");
    const { outcome, message } = answer;
    if (tally.end !== undefined && outcome !== "accepted") {
      return { outcome: "unreachable", message };
    }
    if (outcome !== "retry" || isLast) return answer;
    const delayMs = answer.afterMs ?? FIRST_DELAY_MS * 2 ** (attempt - 1);
    // oxlint-disable-next-line no-await-in-loop -- and its pause
    await parts.clock.sleep(Math.min(delayMs, LONGEST_DELAY_MS), parts.signal);
    if (parts.signal.aborted) tally.end ??= INTERRUPTED;
    if (tally.end !== undefined) return { outcome: "unreachable", message };
  }
}

/** Returns the end of all sending that an answer means; undefined if other requests may succeed. */
function endOf(answer: Attempt, retry: SendTarget["exhausted"] | "retried"): SendEnd | undefined {
  const { outcome, message } = answer;
  const isLost = outcome === "unreachable" || (outcome === "retry" && retry === "unreachable");
  if (!isLost && outcome !== "blocked") return undefined;
  return { reason: isLost ? "unreachable" : "blocked", message, hint: answer.hint };
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
