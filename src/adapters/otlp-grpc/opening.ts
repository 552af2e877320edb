import type { Socket } from "node:net";

/** What a peer turns out to speak, by the first bytes of its connection. */
export type Opening = "http2" | "http1" | "tls" | "other";

const HTTP2_BEGIN = "PRI * HTTP/2.0\r\n";
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 3;
/** A method, a space, and the beginning of a path, within as many bytes as are looked at. */
const HTTP1_BEGIN = /^[A-Z]+ [\x21-\x7e]/;
const MAYBE_HTTP1 = /^[A-Z]{1,15} ?$/;

/**
 * Undefined while there are too few bytes to tell.
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
 * Reads a connection until it shows what it speaks, and puts back what it has read. To be called
 * before anybody else reads. A peer may cut its first bytes as it likes.
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
