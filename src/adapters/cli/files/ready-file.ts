import { lstatSync, readFileSync, rmSync } from "node:fs";
import { usageFailure } from "../command/answer-form.ts";
import { type Endpoints, exporterVariables, TEST_SETTINGS } from "../render/endpoints.ts";
import type { Environment } from "../../../config/config.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { checkOutFile, writeOutFile } from "./out-file.ts";

/** Returns the variables of an application and of spanring's commands under test. */
export function readyVariables(endpoints: Endpoints): Readonly<Record<string, string>> {
  const { api } = endpoints;
  return {
    ...TEST_SETTINGS,
    ...exporterVariables(endpoints),
    ...(api === undefined ? {} : { SPANRING_URL: api }),
  };
}

/**
 * Makes sure that the file can be written, and removes the one of an earlier run, which a
 * reader would take for that of this run. Throws a failure if it is not possible.
 */
export function prepareReadyFile(path: string): void {
  const found = path === "-" ? undefined : lstatSync(path, { throwIfNoEntry: false });
  if (path === "-" || (found !== undefined && !found.isFile())) {
    throw usageFailure(`--ready-file "${quotePeerText(path)}" must be a regular file or a new one`);
  }
  checkOutFile(path);
  rmSync(path, { force: true });
}

/** A server that is listening. */
export interface ReadyServer {
  readonly endpoints: Endpoints;
  /** The environment of its application, if that differs from `readyVariables`. */
  readonly env?: Environment;
}

/**
 * Writes the file: it appears complete, once the server is listening. Call the returned function
 * when the server stops; it removes the file, unless another server has written it since.
 */
export async function writeReadyFile(
  path: string,
  { endpoints, env }: ReadyServer,
): Promise<() => void> {
  const variables = readyVariables(endpoints);
  const own = Object.keys(variables).map((name) => [name, env?.[name]]);
  const ready = { pid: process.pid, endpoints, env: env ? Object.fromEntries(own) : variables };
  const text = `${JSON.stringify(ready, undefined, 2)}\n`;
  await writeOutFile(path, text);
  return () => {
    if (textOf(path) === text) rmSync(path, { force: true });
  };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
