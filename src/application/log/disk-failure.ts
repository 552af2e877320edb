import { sealActive } from "./active-segment.ts";
import type { AppendOutcome, LogState, PendingRequest } from "./log-state.ts";
import { acknowledge, putBack, resolveAll, takeWaiting } from "./pending-requests.ts";

/**
 * The message for senders. It names no file, because the details are for the operator, who finds
 * them in the log.
 */
const BROKEN = "cannot write to the disk buffer; retry later";

/** Delays between attempts to begin a new segment after a failure. */
export const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

/** Returns the outcome of every request until the next attempt; undefined if it is due. */
export function currentFailure({ failure, parts }: LogState): AppendOutcome | undefined {
  if (failure === undefined) return undefined;
  const retryAfterMs = Math.ceil(failure.retryAtMs - parts.clock.monotonicMs());
  if (retryAfterMs <= 0) return undefined;
  return { outcome: "failed", message: BROKEN, retryAfterMs };
}

/** Reports whether the disk has failed and every request is refused until the next attempt. */
export function isRefusing(state: LogState): boolean {
  const { durability, diskFailure } = state.parts.settings;
  const refuses = durability !== "stop" && diskFailure === "refuse";
  return refuses && currentFailure(state) !== undefined;
}

/** Reports whether requests go to memory only, until the next attempt to write. */
export function acceptsIntoMemory(state: LogState): boolean {
  return state.parts.settings.diskFailure === "memory" && currentFailure(state) !== undefined;
}

/** Ends the pause after a failure, so that the next request tries the disk at once. */
export function endPause({ failure, parts }: LogState): void {
  if (failure !== undefined) failure.retryAtMs = parts.clock.monotonicMs();
}

export function noteSuccess(state: LogState): void {
  state.isBlocked = false;
  if (state.failure === undefined) return;
  const { memoryOnlySpans } = state.failure;
  state.failure = undefined;
  state.parts.watcher.diskRecovered({ memoryOnlySpans });
}

/**
 * Handles a failure of the disk: the segment is closed unchanged, and neither the group nor the
 * queue is on the disk. Their senders are refused, or `keepInMemory` acknowledges them. The next
 * attempt begins a new segment, whose header says where the accepted spans of this one end.
 */
export function breakOff(
  state: LogState,
  error: unknown,
  requests: readonly PendingRequest[] = [],
): void {
  const { failure: before, parts } = state;
  const delayMs = Math.min(MAX_DELAY_MS, (before?.delayMs ?? FIRST_DELAY_MS / 2) * 2);
  const reason = error instanceof Error ? error.message : String(error);
  const retryAtMs = parts.clock.monotonicMs() + delayMs;
  const memoryOnlySpans = before?.memoryOnlySpans ?? 0;
  state.failure = { reason, delayMs, retryAtMs, memoryOnlySpans };
  sealActive(state);
  state.isBlocked = true;
  putBack(state, requests);
  if (parts.settings.diskFailure === "refuse") {
    resolveAll(takeWaiting(state), { outcome: "failed", message: BROKEN, retryAfterMs: delayMs });
  }
  parts.watcher.diskFailed({ reason, retryAfterMs: delayMs });
}

/**
 * Acknowledges the waiting requests without the disk. Their spans get the next sequences, and no
 * segment has these: the next one begins after them. It runs only while nothing is written, because
 * the records of a group already have their sequences.
 */
export function keepInMemory(state: LogState): void {
  for (const pending of takeWaiting(state)) {
    const firstSequence = state.nextSequence;
    state.nextSequence += pending.request.spanCount;
    state.failure!.memoryOnlySpans += pending.request.spanCount;
    acknowledge(pending, { outcome: "memory_only", firstSequence });
  }
}

/** Reports whether the disk has failed, and requests are acknowledged once they are in memory. */
export function continuesInMemory({ failure, parts }: LogState): boolean {
  return failure !== undefined && parts.settings.diskFailure === "memory";
}
