import { connectionFaultOf } from "../../domain/text/connection-fault.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";

/** Returns why a request got no response: the error code, and its meaning if it is known. */
export function connectionFault(error: unknown): string {
  const { code, meaning } = connectionFaultOf(error);
  return quotePeerText(meaning === undefined ? code : `${code}: ${meaning}`);
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
