import { readFileSync } from "node:fs";

/** The clock ticks of Linux, on every machine that Bun supports. */
const TICKS_PER_SECOND = 100;

/** Returns the CPU time of a process so far, over all threads; null if there is no `/proc`. */
export function cpuSeconds(pid: number): number | null {
  if (process.platform !== "linux") return null;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is a name in parentheses that may contain anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [userTicks, systemTicks] = [Number(fields[11]), Number(fields[12])];
  return (userTicks + systemTicks) / TICKS_PER_SECOND;
}

/** Returns the resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const kib = process.platform === "linux" ? residentKibOnLinux(pid) : residentKibByPs(pid);
  if (!(kib > 0)) throw new Error(`nothing tells the resident memory of process ${pid}`);
  return kib * 1024;
}

function residentKibOnLinux(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function residentKibByPs(pid: number): number {
  return Number(Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]).stdout.toString());
}
