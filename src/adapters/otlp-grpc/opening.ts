import type { Socket } from "node:net";
import type { Problem, ProblemLog } from "../../ports/problem-log.ts";
import { encodeStatus, statusJson } from "../otlp/export-response.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";

/** The protocol of a connection, by its first bytes. */
type Opening = "http2" | "http1" | "tls" | "other";

const HTTP2_BEGIN = "PRI * HTTP/2.0\r\n";
const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 3;
/** A method, a space, and the first character of a path, all within the bytes that are examined. */
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

const REASONS = { http1: "http_on_grpc", tls: "tls", other: "not_http2" } as const;

/** Matches `POST /v1/traces?a=b HTTP/1.1` without the query, which may contain a secret. */
const REQUEST_LINE = /^([A-Z]+ [^\s?]*)/;

/** Returns the problem to record for a connection that does not start with HTTP/2. */
export function misdirectedProblem(
  opening: Exclude<Opening, "http2">,
  head: Buffer,
): Pick<Problem, "reason" | "detail"> {
  const [line = ""] = REQUEST_LINE.exec(textOf(head)) ?? [];
  return { reason: REASONS[opening], detail: opening === "http1" ? line : "" };
}

/**
 * Returns an answer in HTTP/1.1 with a `google.rpc.Status` in the format of the request, as OTLP
 * requires. Peers that speak TLS or another protocol get it as well: most clients show the first
 * line that they cannot parse, and some recognize it as HTTP.
 */
export function misdirectedAnswer(
  problems: Pick<ProblemLog, "hint">,
  { reason }: Pick<Problem, "reason">,
  head: Buffer,
): Buffer {
  const message = `this port speaks gRPC without TLS, over HTTP/2: ${problems.hint(reason)}`;
  const answer = { outcome: "misdirected", message } as const;
  const isProtobuf = /^content-type: *application\/x-protobuf\b/im.test(textOf(head));
  const body = Buffer.from(isProtobuf ? encodeStatus(answer) : statusJson(answer));
  const lines = [
    `HTTP/1.1 ${STATUS_TABLE[answer.outcome].httpStatus} Misdirected Request`,
    `Content-Type: ${isProtobuf ? "application/x-protobuf" : "application/json"}`,
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}

function textOf(head: Buffer): string {
  return head.toString("latin1", 0, MAX_HEAD_BYTES);
}

/** Bytes after these are ignored. */
const MAX_HEAD_BYTES = 4096;
