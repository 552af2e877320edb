import type { Socket } from "node:net";

/** The protocol of a connection, by its first bytes. */
export type Opening = "http2" | "http1" | "tls" | "other";

const HTTP2_BEGIN = "PRI * HTTP/2.0\r\n";
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 3;
/** Matches a method, a space, and the first character of a path, within the examined bytes. */
const HTTP1_BEGIN = /^[A-Z]+ [\x21-\x7e]/;
const MAYBE_HTTP1 = /^[A-Z]{1,15} ?$/;

/**
 * Returns the protocol; undefined while too few bytes have arrived.
 * Sources: RFC 9113, section 3.4; RFC 9112, section 3; RFC 8446, section 5.1.
 */
export function openingOf(head: Buffer): Opening | undefined {
  const text = head.toString("latin1", 0, HTTP2_BEGIN.length);
  if (text === HTTP2_BEGIN) return "http2";
  if (HTTP2_BEGIN.startsWith(text)) return undefined;
  if (HTTP1_BEGIN.test(text)) return "http1";
  if (MAYBE_HTTP1.test(text)) return undefined;
  if (head[0] !== TLS_HANDSHAKE) return "other";
  if (head.length < 2) return undefined;
  return head[1] === TLS_MAJOR_VERSION ? "tls" : "other";
}

/**
 * Reads from a connection until its protocol is known, then pushes back what it has read. Must be
 * called before anything else reads. A peer may split its first bytes anywhere.
 */
export function readOpening(
  socket: Socket,
  decided: (opening: Opening, head: Buffer) => void,
): void {
  let head: Buffer = Buffer.alloc(0);
  const read = (piece: Buffer): void => {
    head = head.length === 0 ? piece : Buffer.concat([head, piece]);
    const opening = openingOf(head);
    if (opening === undefined) return;
    socket.off("data", read);
    socket.pause();
    socket.unshift(head);
    decided(opening, head);
    socket.resume();
  };
  socket.on("data", read);
}
