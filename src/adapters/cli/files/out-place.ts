import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Where a file is to be. */
export interface OutPlace {
  /** Behind all links that can be followed: they stay, and what they lead to is written. */
  readonly target: string;
  /** False for a pipe, a device and the like, which are there to be written to. */
  readonly isReplaced: boolean;
}

/** Throws what the system says of a path that leads nowhere. */
export function outPlace(path: string): OutPlace {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { target: behindLinks(path), isReplaced: true };
  // Not resolved: a link to a pipe without a name, as in /dev/stdout, leads only the system there.
  if (!mayBeReplaced(found)) return { target: path, isReplaced: false };
  return { target: realpathSync(path), isReplaced: true };
}

/** A folder may not, and says so itself. */
function mayBeReplaced(found: Stats): boolean {
  return found.isFile() || found.isDirectory();
}

/** Of links to what is not there yet: what will be. There is no circle, or there was no answer. */
function behindLinks(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? behindLinks(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}
