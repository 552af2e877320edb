import { logVerbosity, setLogger, setLogVerbosity } from "@grpc/grpc-js";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { Logger } from "../../ports/logger.ts";
import { TalliedLog } from "../../application/receiving/tallied-log.ts";

/**
 * grpc-js writes to the console, and what it writes are errors of peers: a header that it does not
 * like comes with its value. It has one logger a process; the one given last is used.
 */
export function logLibraryThrough(logger: Logger): void {
  const lines = new TalliedLog((fields) => logger.warning("grpc_library", fields));
  const note = (...words: unknown[]) => lines.note("lines", { text: withoutValues(words) });
  setLogger({ error: note, info: note, debug: note });
  // Whatever GRPC_VERBOSITY says: below ERROR it writes the headers of every call.
  setLogVerbosity(logVerbosity.ERROR);
}

/** What is told stands before the first colon, what a peer sent after it. */
function withoutValues(words: readonly unknown[]): string {
  const [told = ""] = words.join(" ").split(":", 1);
  return quotePeerText(told);
}
