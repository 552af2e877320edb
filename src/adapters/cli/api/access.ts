import { readFileSync } from "node:fs";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";
import { areAuthorities } from "../../listening/pem.ts";
import { isPlainToken } from "../../listening/token-list.ts";
import { usageFailure } from "../command/answer-form.ts";
import { type CommandRun, valueOf } from "../command/command-run.ts";
import type { OptionName } from "../usage/option-table.ts";

/** The options of `fetch` that show who calls, and whom the caller trusts. */
export interface Access {
  readonly headers: { readonly Authorization?: string };
  readonly tls?: { readonly ca: Buffer };
}

/**
 * Reads `--token-file` or `SPANRING_TOKEN`, and `--ca`. Throws a failure, which does not show a
 * token, if one cannot be used. `fetch` does not send the token to another host after a redirect.
 */
export function accessOf(run: CommandRun): Access {
  const token = tokenOf(run);
  const ca = authoritiesOf(run);
  return {
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    ...(ca === undefined ? {} : { tls: { ca } }),
  };
}

function tokenOf(run: CommandRun): string | undefined {
  const file = readOption(run, "token-file");
  if (file === undefined) return checkedToken(run.env["SPANRING_TOKEN"] || undefined);
  const lines = file.bytes.toString().split("\n");
  const token = lines.map((line) => line.trim()).find((line) => line !== "" && line[0] !== "#");
  if (token !== undefined && isPlainToken(token)) return token;
  const found = token?.startsWith("sha256:") === true ? "the hash of a token" : "no token";
  throw usageFailure(`--token-file ${file.shown} begins with ${found}: it must hold the token`);
}

function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || isPlainToken(token)) return token;
  throw usageFailure("SPANRING_TOKEN must be one token, not a hash, without spaces or line breaks");
}

function authoritiesOf(run: CommandRun): Buffer | undefined {
  const file = readOption(run, "ca");
  if (file === undefined || areAuthorities(file.bytes)) return file?.bytes;
  throw usageFailure(`--ca ${file.shown} must be a file of certificates in PEM`);
}

function readOption(run: CommandRun, option: OptionName) {
  const path = valueOf(run, option);
  if (path === undefined) return undefined;
  const shown = `"${quotePeerText(path)}"`;
  try {
    return { bytes: readFileSync(path), shown };
  } catch (error) {
    throw usageFailure(`--${option} ${shown} cannot be read: ${systemErrorText(error)}`);
  }
}

/** The end of a message about a token that is missing or not accepted. */
export const SET_A_TOKEN = "Set --token-file FILE or SPANRING_TOKEN to a token that it accepts.";
