import type { Socket } from "node:net";
import { TLSSocket, type TLSSocketOptions } from "node:tls";
import type { ProblemReason } from "../../domain/problem-reason.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { ServerTls } from "./server-tls.ts";

export interface SecureSocketParts {
  readonly tls: ServerTls;
  /** The protocols that the listener speaks, the preferred one first. */
  readonly protocols: readonly string[];
  /** Called with the decrypted connection when its handshake has ended. */
  readonly secured: (socket: Socket) => void;
  /** Called, before the socket is closed, when the peer has failed the handshake. */
  readonly failed: (problem: HandshakeProblem) => void;
}

export interface HandshakeProblem {
  readonly reason: Extract<ProblemReason, "plaintext" | "tls_handshake">;
  readonly detail: string;
}

/**
 * Begins TLS on an accepted socket, from which nothing has been read: the runtime reads the bytes
 * of the handshake in native code, and overlooks those that were pushed back. So plaintext can be
 * recognised only by its error, and gets no answer in its own protocol.
 *
 * The handshake has no time limit of its own; the limits of the raw socket cover it. Destroying
 * either socket closes both.
 */
export function secureSocket(raw: Socket, { tls, protocols, ...parts }: SecureSocketParts): void {
  const requestCert = tls.material.clientCa !== undefined;
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext: tls.context,
    requestCert,
    rejectUnauthorized: requestCert,
    ALPNProtocols: [...protocols],
  } satisfies TLSSocketOptions);
  let isSecure = false;
  // An error is followed by "close".
  socket.on("error", (error: NodeJS.ErrnoException) => {
    if (!isSecure && isTlsError(error)) parts.failed(problemOf(error));
    raw.destroy();
  });
  socket.once("secure", () => {
    isSecure = true;
    // The runtime has refused all others already; access must not depend on that alone.
    if (!requestCert || socket.authorized) parts.secured(socket);
    else raw.destroy();
  });
}

/** Reports whether the peer is at fault, and not the connection. */
function isTlsError({ code = "" }: NodeJS.ErrnoException): boolean {
  return !CONNECTION_ERRORS.has(code);
}

const CONNECTION_ERRORS: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT"]);

/** The errors of a peer that does not begin with a record of TLS. */
const PLAINTEXT_ERRORS: ReadonlySet<string> = new Set([
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_HTTPS_PROXY_REQUEST",
  "ERR_SSL_WRONG_VERSION_NUMBER",
]);

function problemOf({ code = "", message }: NodeJS.ErrnoException): HandshakeProblem {
  if (PLAINTEXT_ERRORS.has(code)) return { reason: "plaintext", detail: "" };
  return { reason: "tls_handshake", detail: quotePeerText(code === "" ? message : code) };
}
