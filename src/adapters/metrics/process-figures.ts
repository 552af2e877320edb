import { readdirSync, readFileSync } from "node:fs";
import { residentBytes } from "../memory/resident-bytes.ts";

export interface ProcessFigures {
  /** Undefined while there is no descriptor to read it. */
  readonly residentBytes: number | undefined;
  readonly cpuSeconds: number;
  readonly startUnixSeconds: number;
  /** Undefined where the system does not report it. */
  readonly openFds: number | undefined;
  readonly maxFds: number | undefined;
}

/** Returns figures of this process. Without /proc, the number of open files is unknown. */
export function processFigures(folder = "/proc/self"): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: residentBytes(),
    cpuSeconds: (user + system) / 1e6,
    startUnixSeconds: performance.timeOrigin / 1000,
    openFds: filesIn(`${folder}/fd`),
    maxFds: maxFilesIn(`${folder}/limits`),
  };
}

/** Returns the number of open files, without the one that reading the folder opens. */
function filesIn(folder: string): number | undefined {
  try {
    return readdirSync(folder).length - 1;
  } catch {
    return undefined;
  }
}

/** Reads `Max open files  1024  524288  files`: the limit in force, and the highest possible. */
function maxFilesIn(path: string): number | undefined {
  try {
    const [, max] = /^Max open files +(\d+) /m.exec(readFileSync(path, "utf8")) ?? [];
    return max === undefined ? undefined : Number(max);
  } catch {
    return undefined;
  }
}
