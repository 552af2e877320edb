import { once } from "node:events";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { StopWatchdog } from "../../../src/adapters/signals/stop-watchdog.ts";

// Begins a stop under the watchdog, and then does what the argument says.

const HOUR_MS = 3_600_000;

function begin(graceMs: number, limits = {}): StopWatchdog {
  const watchdog = new StopWatchdog(SYSTEM_CLOCK, limits);
  watchdog.begin(overdueAfter(graceMs));
  return watchdog;
}

function overdueAfter(graceMs: number) {
  return { graceMs, line: { event: "stop_overdue", grace_ms: graceMs }, exitCode: 5 };
}

function spin(): never {
  for (;;);
}

const STOPS: Readonly<Record<string, () => unknown>> = {
  "is blocked at once": () => {
    begin(0);
    spin();
  },
  // Which comes when the thread has begun to wait.
  "is blocked after a second signal": async () => {
    const watchdog = begin(HOUR_MS);
    await Bun.sleep(300);
    watchdog.hurry();
    spin();
  },
  "writes to a full pipe": () => {
    begin(0);
    writeSync(2, "x".repeat(1024 * 1024));
  },
  "has no C library": () => {
    begin(0, { libraries: ["no-library"] });
    spin();
  },
  // Slow, but not blocked: some of the periods in which a blocked loop would be found.
  "takes its time": async () => {
    const watchdog = begin(0, { marginMs: 0, silenceMs: 500 });
    await Bun.sleep(1_500);
    watchdog.end();
  },
  // The turns are those of the preloaded code, not those of this loop.
  "is stopped by SIGSTOP": async () => {
    const preload = join(import.meta.dir, "stopped-waits.ts");
    const startThread = (url: string) => new Worker(url, { preload });
    const watchdog = new StopWatchdog({ repeat: () => () => {} }, { startThread });
    await once(watchdog.begin(overdueAfter(0))!, "close");
  },
};

await STOPS[process.argv[2] ?? ""]?.();
process.exit(0);
