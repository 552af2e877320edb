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
 * Returns why there is no answer, in a few words and with the error code. The runtime's message is
 * left out: it may contain the whole URL, and its query may be secret.
 */
export function connectionFault(error: unknown): string {
  if (!(error instanceof Error)) return quotePeerText(String(error));
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const fault = FAULTS[code];
  return quotePeerText(fault === undefined ? code : `${code}: ${fault}`);
}

const HINTS: readonly (readonly [words: RegExp, hint: string])[] = [
  [/altname/i, "check the host in FORWARD_ENDPOINT: the certificate there is for another one"],
  [/expired/i, "the certificate of the upstream has expired: it must be renewed there"],
  [
    /self.signed|unable.to.(verify|get)/i,
    "check FORWARD_TLS_CA_FILE: it must hold the authority of the upstream's certificate",
  ],
  [
    /certificate.required|unknown.ca|bad.certificate|handshake.failure|^EPROTO$/i,
    "check FORWARD_TLS_CERT_FILE and FORWARD_TLS_KEY_FILE: the upstream asks for a certificate",
  ],
];

/** Returns what to check when a TLS connection fails with this code or in these words. */
export function tlsHint(reason: string): { readonly hint?: string } {
  const found = HINTS.find(([words]) => words.test(reason));
  return found === undefined ? {} : { hint: found[1] };
}
