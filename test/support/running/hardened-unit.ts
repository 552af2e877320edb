import { chownSync } from "node:fs";
import { join } from "node:path";
import { COMMAND } from "./running-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A user without privileges. */
export const NOBODY = 65_534;
const FILTER = join(import.meta.dir, "../processes/under-seccomp.ts");

const READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"';

const CAPABILITIES = ["inh-caps", "ambient-caps", "bounding-set"].map((set) => `--${set}=-all`);
const OTHER_USER = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

/** Returns the command that runs another one like a hardened unit; only `folder` is writable. */
export function hardened(folder: string): string[] {
  const drop = ["setpriv", ...OTHER_USER, ...CAPABILITIES, "--no-new-privs"];
  const restrict = ["sh", "-c", READ_ONLY, folder, process.execPath, FILTER];
  return ["unshare", "--mount", "--ipc", "--uts", ...restrict, ...drop];
}

/** Returns a folder of the other user, with the program in it. */
export function stateFolder(): string {
  const folder = temporaryFolder();
  chownSync(folder, NOBODY, NOBODY);
  return folder;
}

/** Reports whether a test can take away privileges on this machine. */
export function isHardeningPossible(): boolean {
  if (process.platform !== "linux" || process.getuid!() !== 0) return false;
  // It is not if the other user cannot reach the program.
  return Bun.spawnSync([...hardened(temporaryFolder()), ...COMMAND, "--version"]).success;
}
