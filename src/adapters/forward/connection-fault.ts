import { quotePeerText } from "../../domain/text/quote-text.ts";

const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing is listening there",
  ENOTFOUND: "the host name is unknown",
  ECONNRESET: "the connection was reset",
  ECONNCLOSED: "the connection was closed before a response",
  TimeoutError: "no response in time",
  Malformed_HTTP_Response: "its response is not HTTP/1.1",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is from an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is from an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is from an unknown authority",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

/**
 * Returns why a request got no response, in a few words and with the error code. Leaves out the
 * runtime's message, which may contain the whole URL with a secret query.
 */
export function connectionFault(error: unknown): string {
  if (!(error instanceof Error)) return quotePeerText(String(error));
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const fault = FAULTS[code];
  return quotePeerText(fault === undefined ? code : `${code}: ${fault}`);
}

const HINTS: readonly (readonly [words: RegExp, hint: string])[] = [
  [/altname/i, "check the host in FORWARD_ENDPOINT: the certificate there is for another host"],
  [/expired/i, "the upstream's certificate has expired, and must be renewed there"],
  [
    /self.signed|unable.to.(verify|get)/i,
    "check FORWARD_TLS_CA_FILE: it must contain the authority of the upstream's certificate",
  ],
  [
    /certificate.required|unknown.ca|bad.certificate|handshake.failure|^EPROTO$/i,
    "check FORWARD_TLS_CERT_FILE and FORWARD_TLS_KEY_FILE: the upstream requires a certificate",
  ],
];

/** Returns what to check when a TLS connection fails with this code or in these words. */
export function tlsHint(reason: string): { readonly hint?: string } {
  const found = HINTS.find(([words]) => words.test(reason));
  return found === undefined ? {} : { hint: found[1] };
}
