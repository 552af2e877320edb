import { EXIT_CODE } from "../adapters/cli/output/exit-code.ts";
import type { OverdueStop } from "../adapters/signals/stop-watchdog.ts";
import type { Config } from "../config/config.ts";

/**
 * Returns what ends a stop whose event loop is blocked: a line of the log, always as JSON, because
 * nothing else of this program runs then, and an exit code. Undefined at level `stop`: only a stop
 * that goes on keeps the acknowledged spans, so it may take as long as the loop is blocked. At the
 * other levels, they are in the log before their acknowledgement, unless the disk has failed and
 * `DISK_FAILURE` is `memory`: no stop keeps those.
 */
export function overdueStop(config: Config, graceMs: number): OverdueStop | undefined {
  const { log, forward } = config;
  if (log !== "off" && log.durability === "stop") return undefined;
  const line = { event: "stop_overdue", grace_ms: graceMs, reason: REASON };
  if (log !== "off") {
    const hint = LOG_HINTS[log.diskFailure];
    return { graceMs, line: { ...line, hint }, exitCode: EXIT_CODE.cannotRun };
  }
  const hint = "buffered spans are lost; set DATA_DIR to keep such spans for the next start";
  const exitCode = forward === "off" ? EXIT_CODE.cannotRun : EXIT_CODE.lostSpans;
  return { graceMs, line: { ...line, hint }, exitCode };
}

/** What the next start does about the spans of a log, by `DISK_FAILURE`. */
const LOG_HINTS = {
  refuse: "the next start finds the spans in DATA_DIR, and may forward the last ones again",
  memory:
    "the next start finds the spans in DATA_DIR, and may forward the last ones again; " +
    "those acknowledged while the disk failed are lost",
} as const;

const REASON = "the event loop is blocked, so the counts of the line `stopped` are missing";
