import type { ProcessFigures } from "./metric-values.ts";

/** Of this process. */
export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startUnixSeconds: performance.timeOrigin / 1000,
  };
}
