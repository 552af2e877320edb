import { readFileSync } from "node:fs";

/**
 * Returns the number of files that this process may have open; infinite where the system does not
 * say. Source: proc(5), `/proc/PID/limits`.
 */
export function maxOpenFiles(read = () => readFileSync("/proc/self/limits", "utf8")): number {
  try {
    return Number(/^Max open files +(\d+)/m.exec(read())?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
