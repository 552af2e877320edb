import { readFileSync } from "node:fs";
import { isatty } from "node:tty";

const STANDARD_STREAMS = [0, 1, 2];

/**
 * Whether a Ctrl-C on the terminal reaches this process: the terminal gives it to every process in
 * its foreground group, whatever their standard streams are. Asked anew for each signal, because a
 * shell moves its jobs.
 */
export function isInForeground(statFile = "/proc/self/stat"): boolean {
  try {
    return isForegroundStat(readFileSync(statFile, "utf8"));
  } catch {
    // Only Linux tells. Elsewhere, who has a terminal is taken to be in front of it.
    return STANDARD_STREAMS.some((fileDescriptor) => isatty(fileDescriptor));
  }
}

/** Source: proc_pid_stat(5): `pid (comm) state ppid pgrp session tty_nr tpgid ...`. */
function isForegroundStat(stat: string): boolean {
  // A command's name may hold anything, parentheses and spaces among it.
  const behindName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [, , ownGroup, , , foregroundGroup] = behindName;
  return ownGroup !== undefined && ownGroup === foregroundGroup;
}
