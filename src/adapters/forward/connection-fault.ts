import { quotePeerText } from "../../domain/quote-text.ts";

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the host name is not known",
  ECONNRESET: "the connection was broken off",
  ECONNCLOSED: "the connection was closed before an answer",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

/** Why there is no answer, in a few words and with the code, as far as there is one. */
export function connectionFault(error: unknown): string {
  if (!(error instanceof Error)) return quotePeerText(String(error));
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const said = FAULTS[code] ?? error.message;
  return quotePeerText(said === "" ? code : `${code}: ${said}`);
}
