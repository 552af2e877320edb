import type { ListenAddress } from "../../config.ts";
import type { LogFields } from "../../ports/logger.ts";

/** What cannot listen, and the variable that says where it should. */
export interface FailedListener {
  readonly listener: string;
  readonly address: ListenAddress;
  readonly portVariable: string;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use",
  EADDRNOTAVAIL: "this machine does not have the address",
  EACCES: "the port needs a privilege this program does not have",
  ENOTFOUND: "the host name is not known",
};

/** A log line that says what went wrong and how to mend it. */
export function listenFailure(
  { listener, address, portVariable }: FailedListener,
  error: unknown,
): LogFields {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  const mend = `set ${portVariable} to another port, to 0 for any free one, or to off`;
  return { listener, ...address, reason, ...(code === "EADDRINUSE" ? { mend } : {}) };
}
