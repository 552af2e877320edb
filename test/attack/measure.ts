import { readFileSync } from "node:fs";
import { residentBytes } from "../bench/servers/process-figures.ts";
import { HEALTH } from "./lanes.ts";
import { HttpClient } from "./wire/http-client.ts";

export const MIB = 1024 * 1024;
const SAMPLE_INTERVAL_MS = 20;
const PROBE_PAUSE_MS = 5;

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

/**
 * Measures how long the event loop keeps a request waiting, as the CPU time of its thread between a
 * request for `/healthz` and the response. Time in which other processes had the processor does not
 * count. The result is an upper bound of one turn of the loop.
 */
export class BlockProbe {
  private longestCpuMs = 0;
  private isOver = false;
  private readonly pid: number;
  private readonly client: HttpClient;
  private readonly ended: Promise<void>;

  constructor(pid: number, apiPort: number) {
    this.pid = pid;
    this.client = new HttpClient(apiPort);
    this.ended = this.probe();
  }

  async stop(): Promise<number> {
    this.isOver = true;
    this.client.close();
    await this.ended;
    return this.longestCpuMs;
  }

  /**
   * Sends one request. A request without a response counts too, because the loop may be blocked
   * until the end.
   */
  private async probe(): Promise<void> {
    for (; !this.isOver; await Bun.sleep(PROBE_PAUSE_MS)) {
      const beforeMs = mainThreadCpuMs(this.pid);
      await this.client.request(HEALTH).catch(() => {});
      const cpuMs = mainThreadCpuMs(this.pid) - beforeMs;
      if (cpuMs > this.longestCpuMs) this.longestCpuMs = cpuMs;
    }
  }
}

const NANOSECONDS_PER_MS = 1e6;

/**
 * Returns the CPU time of the main thread; NaN if the system does not report it, or after the end
 * of the process.
 */
export function mainThreadCpuMs(pid: number): number {
  try {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
    return Number(nanoseconds) / NANOSECONDS_PER_MS;
  } catch {
    return Number.NaN;
  }
}
