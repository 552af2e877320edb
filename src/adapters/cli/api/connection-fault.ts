import type { Environment } from "../../../config/config.ts";
import { connectionFaultOf } from "../../../domain/text/connection-fault.ts";
import { isLoopback, socketPathOf } from "../../../domain/text/host-address.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";

const MALFORMED = "Malformed_HTTP_Response";

const NO_TLS = "it does not speak TLS; try http: instead";

/** Returns why a connection failed, in a few words, or with its code. */
export function connectionFault(error: unknown): string {
  const { code, meaning } = connectionFaultOf(error);
  if (code === "EPROTO") return NO_TLS;
  return meaning ?? `the connection failed (${quotePeerText(code)})`;
}

const WHERE = "set --url or SPANRING_URL.";

/** The end of a message about a response that is not from the read API. */
export const OTHER_PORTS =
  "The read API listens on port 4319 unless API_PORT is set; 4317 is for OTLP/gRPC, and 4318 for " +
  `OTLP/HTTP.\nIf spanring is elsewhere, ${WHERE}`;

/** The error codes of ports where another kind of server listens. */
const WRONG_PORT = new Set([MALFORMED, "ECONNRESET", "ECONNCLOSED", "EPROTO", "TooManyRedirects"]);

/** The error codes of certificates that a file of authorities may make valid. */
const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

const TRUST = "Set --ca FILE to the certificates of its authority.";

/** The error codes of a port that closes a connection without an answer, as one with TLS does. */
const CLOSED = new Set(["ECONNRESET", "ECONNCLOSED"]);

const TLS_DOUBT = "; if it requires TLS, use https: instead";

/** Returns why the read API cannot be reached, and what to do. */
export function unreachable(url: string, env: Environment, error: unknown): string {
  const base = quotePeerText(url);
  const { code } = connectionFaultOf(error);
  if (code === MALFORMED) {
    const guess = "it may be the port for OTLP/gRPC";
    return `${base} does not respond in HTTP/1.1: ${guess}\n${OTHER_PORTS}`;
  }
  const start = UNTRUSTED.has(code) ? TRUST : `Start spanring there, or ${WHERE}`;
  const advice = WRONG_PORT.has(code) ? OTHER_PORTS : start;
  const tlsDoubt = CLOSED.has(code) && /^http:/i.test(url) ? TLS_DOUBT : "";
  const doubts = `${tlsDoubt}${proxyDoubt(url, env)}`;
  return `cannot connect to ${base}: ${connectionFault(error)}${doubts}\n${advice}`;
}

/** Returns the message for a request that gets no response in time. */
export function unanswered(url: string, limitMs: number): string {
  const limit = `${limitMs / 1_000} s`;
  const guess = "the program there may be stuck, or may not be spanring";
  return `${quotePeerText(url)} has not responded within ${limit}: ${guess}\n${OTHER_PORTS}`;
}

const PROXY_VARIABLES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];

/** Mentions the proxy: the runtime does not report whether the host or the proxy has failed. */
function proxyDoubt(url: string, env: Environment): string {
  const variable = PROXY_VARIABLES.find((name) => env[name]);
  const isDirect = routeTo(url, "").options.proxy === false;
  return variable === undefined || isDirect ? "" : `; ${variable} is set, so it may be the proxy`;
}

/** The way to a server, for `fetch`. */
export interface Route {
  readonly url: string;
  readonly options: { readonly proxy?: false; readonly unix?: string };
}

/**
 * Returns the way to a path of a server, whose URL may be `unix:/PATH`; such a URL can have no path
 * of its own, so it may need another one. `fetch` would use `HTTP_PROXY` even for this machine; for
 * any other host, the environment decides.
 */
export function routeTo(base: string, path: string, pathAtSocket = path): Route {
  const unix = socketPathOf(base);
  if (unix !== undefined) {
    return { url: `http://localhost${pathAtSocket}`, options: { unix, proxy: false } };
  }
  const isDirect = isLoopback(URL.parse(base)?.hostname ?? "");
  return { url: base + path, options: isDirect ? { proxy: false } : {} };
}
