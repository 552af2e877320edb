import { quotePeerText } from "../../domain/text/quote-text.ts";

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "the host name is not known",
  ECONNRESET: "the connection was broken off",
  ECONNCLOSED: "the connection was closed before an answer",
  TimeoutError: "no answer in time",
  Malformed_HTTP_Response: "it does not answer in HTTP/1.1",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is by an authority that is not known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is by an authority that is not known",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is by an authority that is not known",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

/**
 * Why there is no answer, in a few words and with the code, as far as there is one. The runtime's
 * own words are not repeated: the whole URL may stand in them, and what it asks for may be secret.
 */
export function connectionFault(error: unknown): string {
  if (!(error instanceof Error)) return quotePeerText(String(error));
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const said = FAULTS[code];
  return quotePeerText(said === undefined ? code : `${code}: ${said}`);
}
