import { readFileSync } from "node:fs";
import { residentBytes } from "../bench/servers/process-figures.ts";

export const MIB = 1024 * 1024;
const SAMPLE_INTERVAL_MS = 20;

/** A process that exceeds this is killed, so that it does not exhaust the machine. */
const MAX_RESIDENT_BYTES = 6 * 1024 * MIB;

/** Watches the resident memory of a process. */
export class MemoryWatch {
  private peakBytes = 0;
  private readonly pid: number;
  private readonly timer: Timer;

  constructor(pid: number) {
    this.pid = pid;
    this.timer = setInterval(() => this.sample(), SAMPLE_INTERVAL_MS);
  }

  stop(): number {
    clearInterval(this.timer);
    this.sample();
    return this.peakBytes;
  }

  /** A process that has ended has no memory to measure. */
  private sample(): void {
    const heldBytes = residentBytesOf(this.pid) ?? 0;
    this.peakBytes = Math.max(this.peakBytes, heldBytes);
    if (heldBytes > MAX_RESIDENT_BYTES) process.kill(this.pid, "SIGKILL");
  }
}

/** Returns undefined for a process that has ended. */
export function residentBytesOf(pid: number): number | undefined {
  try {
    return residentBytes(pid);
  } catch {
    return undefined;
  }
}

/** What a thread has had of the processors, and how long it was ready to run and had to wait. */
export interface ThreadTimes {
  readonly cpuMs: number;
  readonly waitedMs: number;
}

const NANOSECONDS_PER_MS = 1e6;

/**
 * Returns the times of the main thread; NaN if the system does not report them, or after the end of
 * the process.
 */
export function threadTimes(pid: number): ThreadTimes {
  const [cpuMs = Number.NaN, waitedMs = Number.NaN] = schedulerFields(pid);
  return { cpuMs, waitedMs };
}

function schedulerFields(pid: number): number[] {
  try {
    const fields = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
    return fields.map((nanoseconds) => Number(nanoseconds) / NANOSECONDS_PER_MS);
  } catch {
    return [];
  }
}
