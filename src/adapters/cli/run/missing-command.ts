import { closeSync, openSync, readSync } from "node:fs";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { Environment } from "../../../config/config.ts";

/**
 * Why nothing was found to run, where it is not the command: the system says the same of a script
 * whose interpreter is missing. Undefined when the command itself is not there.
 */
export function missingPart(command: string, { PATH = "" }: Environment): string | undefined {
  const path = Bun.which(command, { PATH });
  if (path === null) return undefined;
  const interpreter = interpreterOf(path);
  return interpreter === undefined
    ? "it is there, but not the interpreter or loader that it names"
    : `its interpreter "${quotePeerText(interpreter)}" is not there`;
}

/** Longer than the line that the system reads. Source: execve(2). */
const HEAD_BYTES = 256;

/** Of `#!/usr/bin/env node` it is `/usr/bin/env`. Undefined where nothing can be read. */
export function interpreterOf(path: string): string | undefined {
  const line = headOf(path).split("\n")[0] ?? "";
  return /^#![ \t]*(?<interpreter>[^ \t]+)/.exec(line)?.groups?.["interpreter"];
}

/** Nothing of what may be executed and not read. */
function headOf(path: string): string {
  try {
    const file = openSync(path, "r");
    const head = Buffer.alloc(HEAD_BYTES);
    const length = readSync(file, head);
    closeSync(file);
    return head.toString("utf8", 0, length);
  } catch {
    return "";
  }
}
