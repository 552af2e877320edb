/** The meaning of each code in a few words, for readers who do not call `fetch`. */
const FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing is listening there",
  ENOENT: "no socket is there",
  EACCES: "this user may not use the socket",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be resolved at the moment",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the host",
  ETIMEDOUT: "the host does not respond",
  TimeoutError: "no response in time",
  ECONNRESET: "the connection was reset",
  ECONNCLOSED: "the connection was closed before a response arrived",
  TooManyRedirects: "it redirects in a loop",
  UnsupportedProxyProtocol: "the proxy's URL has an unsupported scheme",
  Malformed_HTTP_Response: "its response is not HTTP/1.1",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is from an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is from an unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is from an unknown authority",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

/** Why a connection failed. */
export interface ConnectionFault {
  /** The code of the error, or its name if it has none. It may be text of a peer. */
  readonly code: string;
  /** The meaning of the code; undefined for an unknown one. */
  readonly meaning: string | undefined;
}

/** Returns the fault without the message of the runtime, which may contain a secret URL. */
export function connectionFaultOf(error: unknown): ConnectionFault {
  const code = codeOf(error);
  return { code, meaning: Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
