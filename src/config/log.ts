import type { Settings } from "./variables.ts";

/** The log on disk. */
export interface LogConfig {
  readonly directory: string;
  readonly durability: "disk" | "process" | "stop";
  readonly syncIntervalMs: number;
  readonly maxDiskBytes: number;
  readonly diskFailure: "refuse" | "memory";
}

/** Returns the settings of the log; `off` if the spans are in memory only. */
export function logOf(settings: Settings): LogConfig | "off" {
  if (settings.DATA_DIR === "") return "off";
  return Object.freeze({
    directory: settings.DATA_DIR,
    durability: settings.DURABILITY,
    syncIntervalMs: settings.SYNC_INTERVAL_MS,
    maxDiskBytes: settings.MAX_DISK_BYTES,
    diskFailure: settings.DISK_FAILURE,
  });
}
