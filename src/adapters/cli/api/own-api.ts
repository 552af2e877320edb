import { readFileSync } from "node:fs";
import { type ListenAddress, readConfig } from "../../../config/config.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";
import type { CommandRun } from "../command/command-run.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { reachableUrl } from "../render/endpoints.ts";

/** The read API of the receiver that this environment configures, and the options for `fetch`. */
export interface OwnApi {
  readonly url: string;
  readonly options: { readonly tls?: object };
}

/**
 * Returns how to reach the receiver that was started in this environment, as in a container. Throws
 * a failure if the environment does not say where it listens.
 */
export function ownApi({ env }: CommandRun): OwnApi {
  const reading = readConfig(env);
  const { api } = reading.ok ? reading.config : reading.rest;
  if (api === "off") throw unknownApi("API_PORT is off, so no listener can answer");
  const url = reachableUrl(api, api.port);
  if (url.endsWith(":0")) throw unknownApi("API_PORT is 0, so only the log knows the port");
  return { url, options: tlsOptions(api) };
}

function unknownApi(reason: string): CommandFailure {
  return new CommandFailure(EXIT_CODE.notFound, `${reason}; set --url or SPANRING_URL`);
}

/**
 * Accepts any certificate, because that of the listener does not name the loopback address, and
 * nothing secret is sent. Where clients need a certificate, the listener's own is presented: many
 * authorities issue certificates for both ends.
 */
function tlsOptions({ tls }: ListenAddress): OwnApi["options"] {
  if (tls === undefined) return {};
  if (tls.clientCaFile === "") return { tls: { rejectUnauthorized: false } };
  const [cert, key] = [tls.certFile, tls.keyFile].map(readOwnFile);
  return { tls: { rejectUnauthorized: false, cert, key } };
}

function readOwnFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unknownApi(`the certificate cannot be read: ${systemErrorText(error)}`);
  }
}
