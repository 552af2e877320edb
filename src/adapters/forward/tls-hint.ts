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
