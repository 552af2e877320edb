import type { LaneFigures } from "./lanes.ts";
import { MIB } from "./measure.ts";

/** The effects of one attack on the receiver. */
export interface Outcome {
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly lanes: readonly LaneFigures[];
  readonly longestBlockMs: number;
  /** The time from SIGTERM to the end of the process; null if the row is not about a shutdown. */
  readonly stopMs: number | null;
  /** Whether the process ran until it was stopped. */
  readonly isAlive: boolean;
  /** Whether both equations of the ledger hold afterwards, in spans and in bytes. */
  readonly isBalanced: boolean;
}

/** MAX_BUFFER_BYTES, MAX_IN_FLIGHT_BYTES and 100 MiB for everything else. */
export const BOUND_ABOVE_IDLE_BYTES = (64 + 64 + 100) * MIB;
const KEPT_LANES = new Set(["grpc-kept", "http-kept", "api"]);
const MAX_P99_MS = 250;
const MAX_NEW_CONNECTION_MS = 1_000;
const MAX_BLOCK_MS = 50;
/** SHUTDOWN_GRACE_MS and half a second. */
const MAX_STOP_MS = 5_500;

/** Returns the violated facts that do not depend on a busy machine. */
export function brokenFacts(outcome: Outcome): string[] {
  const aboveIdleBytes = outcome.peakBytes - outcome.idleBytes;
  const refused = outcome.lanes.filter(
    ({ lane, lost, unanswered }) => KEPT_LANES.has(lane) && lost > unanswered,
  );
  return [
    ...(outcome.isAlive ? [] : ["ended"]),
    ...(outcome.isBalanced ? [] : ["unbalanced"]),
    ...(aboveIdleBytes <= BOUND_ABOVE_IDLE_BYTES ? [] : ["memory"]),
    ...listOf("refused", refused),
  ];
}

/** Returns the missed times, which depend on the machine and its load. */
export function missedTimes({ lanes, longestBlockMs, stopMs }: Outcome): string[] {
  const unanswered = lanes.filter(
    ({ lane, unanswered: count }) => KEPT_LANES.has(lane) && count > 0,
  );
  const slow = lanes.filter(({ p99Ms }) => p99Ms >= MAX_P99_MS);
  const late = lanes.filter(
    ({ lane, lost, maxMs }) => !KEPT_LANES.has(lane) && (lost > 0 || maxMs > MAX_NEW_CONNECTION_MS),
  );
  return [
    ...listOf("unanswered", unanswered),
    ...listOf("p99", slow),
    ...listOf("late", late),
    ...(longestBlockMs <= MAX_BLOCK_MS ? [] : ["block"]),
    ...(stopMs === null || stopMs <= MAX_STOP_MS ? [] : ["shutdown"]),
  ];
}

function listOf(fault: string, lanes: readonly LaneFigures[]): string[] {
  return lanes.length === 0 ? [] : [`${fault} ${lanes.map(({ lane }) => lane).join("+")}`];
}
