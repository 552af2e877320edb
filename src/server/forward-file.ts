import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config, ConfigWarning } from "../config/config.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import { systemErrorText } from "../domain/text/system-error.ts";

/**
 * Warns of a file that cannot receive spans now. Without this, a start would say nothing until the
 * first spans arrive. It is no mistake: a disk may be mounted later.
 */
export async function forwardFileWarnings(forward: Config["forward"]): Promise<ConfigWarning[]> {
  if (forward === "off" || forward.endpoint.protocol !== "file") return [];
  const { path } = forward.endpoint;
  const message = (await folderObstacle(dirname(path))) ?? (await fileObstacle(path));
  return message === undefined ? [] : [{ variable: "FORWARD_ENDPOINT", message }];
}

async function folderObstacle(folder: string): Promise<string | undefined> {
  const reason = await requireWritable(folder).then(() => undefined, systemErrorText);
  if (reason === undefined) return undefined;
  return `spans wait until ${quotePeerText(folder)} is writable: ${reason}`;
}

async function requireWritable(folder: string): Promise<void> {
  if (!(await stat(folder)).isDirectory()) throw new Error("it is not a folder");
  await access(folder, constants.W_OK);
}

async function fileObstacle(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) return undefined;
  return `spans wait until ${quotePeerText(path)} is a regular file`;
}
