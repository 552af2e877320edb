import { closeSync, constants, openSync } from "node:fs";

/**
 * Returns whether this process has a controlling terminal: then closing its window or its SSH
 * session sends SIGHUP. Standard streams do not tell, because any of them may be redirected. To be
 * asked at the start: once the terminal is gone, it can no longer be opened. Source: tty(4).
 */
export function hasControllingTerminal(path = "/dev/tty"): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}
