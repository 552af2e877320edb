import { readdirSync, readFileSync } from "node:fs";
import type { ProcessFigures } from "./metric-values.ts";

/** Of this process. Where there is no folder of its open files, nothing tells their number. */
export function processFigures(folder = "/proc/self"): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startUnixSeconds: performance.timeOrigin / 1000,
    openFds: filesIn(`${folder}/fd`),
    maxFds: maxFilesIn(`${folder}/limits`),
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

/** `Max open files  1024  524288  files`: the one in force, and how high it may be set. */
function maxFilesIn(path: string): number | undefined {
  try {
    const [, max] = /^Max open files +(\d+) /m.exec(readFileSync(path, "utf8")) ?? [];
    return max === undefined ? undefined : Number(max);
  } catch {
    return undefined;
  }
}
