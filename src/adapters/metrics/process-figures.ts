import { readdirSync } from "node:fs";
import type { ProcessFigures } from "./metric-values.ts";

/** Of this process. */
export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startUnixSeconds: performance.timeOrigin / 1000,
    openFds: openFds(),
  };
}

/** Where the system shows them as files, as Linux does; one of them is open for looking only. */
function openFds(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}
