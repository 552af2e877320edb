import { maxRequestBytes } from "./active-segment.ts";
import type { AppendOutcome, LogState, PendingRequest } from "./log-state.ts";

/** Returns the size of a waiting request, as the queue counts it. */
export function bytesOfRequest({ request }: PendingRequest): number {
  return maxRequestBytes(request);
}

/** Removes all waiting requests from the queue, and returns them. */
export function takeWaiting(state: LogState): PendingRequest[] {
  const waiting = state.queue.splice(0);
  state.queuedBytes -= waiting.reduce((sum, each) => sum + bytesOfRequest(each), 0);
  return waiting;
}

/** Puts requests back at the head of the queue. */
export function putBack(state: LogState, requests: readonly PendingRequest[]): void {
  state.queue.unshift(...requests);
  state.queuedBytes += requests.reduce((sum, each) => sum + bytesOfRequest(each), 0);
}

/** Acknowledges a request. An error of its callback does not affect the log. */
export function acknowledge(
  { request, resolve, reject }: PendingRequest,
  outcome: Extract<AppendOutcome, { readonly firstSequence: number }>,
): void {
  try {
    request.stored?.(outcome.firstSequence);
    resolve(outcome);
  } catch (error) {
    reject(error);
  }
}

export function resolveAll(requests: readonly PendingRequest[], outcome: AppendOutcome): void {
  for (const { resolve } of requests) resolve(outcome);
}
