import { readdirSync } from "node:fs";
import type { ProcessFigures } from "./metric-values.ts";

/** Of this process. Where there is no folder of its open files, nothing tells their number. */
export function processFigures(openFiles = "/proc/self/fd"): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startUnixSeconds: performance.timeOrigin / 1000,
    openFds: filesIn(openFiles),
  };
}

/** One of them is open for looking only. */
function filesIn(folder: string): number | undefined {
  try {
    return readdirSync(folder).length - 1;
  } catch {
    return undefined;
  }
}
