import type { ListenAddress } from "../config/config.ts";
import type { LogFields } from "../ports/logger.ts";

/** What cannot listen, and the variable that says where it should. */
export interface FailedListener {
  readonly listener: string;
  readonly address: ListenAddress;
  readonly portVariable: string;
}

const OWN_ADDRESS = "an address of this machine, or to 0.0.0.0 for all of them";
const ANY_PORT = "to 0 for any free one, or to off";

/** By the error's code: what went wrong, the variable to set, and to what. */
const FAILURES: Readonly<
  Record<string, readonly [reason: string, sets: "PORT" | "HOST", to: string]>
> = {
  EADDRINUSE: ["the port is in use", "PORT", `another port, ${ANY_PORT}`],
  EACCES: [
    "the port needs a privilege this program does not have",
    "PORT",
    `a port above 1023, ${ANY_PORT}`,
  ],
  EADDRNOTAVAIL: ["this machine does not have the address", "HOST", OWN_ADDRESS],
  ENOTFOUND: ["the host name does not resolve", "HOST", OWN_ADDRESS],
};

/** A log line that says what went wrong and how to mend it. */
export function listenFailure(
  { listener, address, portVariable }: FailedListener,
  error: unknown,
): LogFields {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const failure = FAILURES[code];
  if (failure === undefined) {
    return { listener, ...address, reason: error instanceof Error ? error.message : String(error) };
  }
  const [reason, sets, to] = failure;
  const variable = portVariable.replace(/PORT$/, sets);
  return { listener, ...address, reason, mend: `set ${variable} to ${to}` };
}
