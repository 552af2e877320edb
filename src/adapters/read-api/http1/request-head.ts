/** The head of a request of HTTP/1.1 or HTTP/1.0. */
export interface RequestHead {
  readonly method: string;
  /** An absolute URL, unless the target is neither a path nor a URL. */
  readonly url: string;
  readonly headers: Headers;
  /** The length of the body; undefined if only the end of the body would show it. */
  readonly bodyBytes: number | undefined;
  readonly isHttp11: boolean;
  /** Whether the client wants no other response on this connection. */
  readonly isLast: boolean;
}

/** A head that cannot be served, and why. */
export interface MalformedHead {
  readonly fault: string;
}

/** The limit of a head. Browsers and proxies send a few kilobytes at most. */
export const MAX_HEAD_BYTES = 16 * 1024;
const MAX_FIELDS = 100;

const HEAD_END = "\r\n\r\n";
const REQUEST_LINE = /^([A-Z]{1,15}) ([\x21-\x7e]+) HTTP\/1\.([01])$/;
/**
 * A field of a head without obsolete line folding. `Headers` removes the space around the value; a
 * pattern that did so would backtrack for hours over a line of spaces.
 * Source: RFC 9110, sections 5.1 and 5.5.
 */
const FIELD = /^([!#$%&'*+.^_`|~\dA-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;
/** The value of Host, which must not change the path of the URL. Source: RFC 9112, section 3.2. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/;
const UNCLEAR_LENGTH = "Content-Length is invalid, or conflicts with Transfer-Encoding";
const DIGITS = /^\d{1,15}$/;

/**
 * Reads the head at the beginning of `bytes`, and returns it with its length; undefined while it is
 * incomplete. Source: RFC 9112.
 */
export function readRequestHead(
  bytes: Buffer,
): { readonly head: RequestHead | MalformedHead; readonly lengthBytes: number } | undefined {
  const from = emptyLinesLength(bytes);
  const end = bytes.indexOf(HEAD_END, from, "latin1");
  if (end < 0 && bytes.length < MAX_HEAD_BYTES) return undefined;
  if (end < 0 || end > MAX_HEAD_BYTES) return TOO_LONG;
  const [line = "", ...fields] = bytes.toString("latin1", from, end).split("\r\n");
  return { head: parseHead(line, fields), lengthBytes: end + HEAD_END.length };
}

const TOO_LONG = {
  head: { fault: `the head of the request is longer than ${MAX_HEAD_BYTES} bytes` },
  lengthBytes: 0,
};

/** Returns the length of the line ends before a request, which some old clients send. */
function emptyLinesLength(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2;
  return at;
}

function parseHead(line: string, fields: readonly string[]): RequestHead | MalformedHead {
  const [, method = "", target = "", minor] = REQUEST_LINE.exec(line) ?? [];
  if (method === "") return { fault: "the first line must be a method, a path and HTTP/1.1" };
  if (fields.length > MAX_FIELDS) return { fault: `there are more than ${MAX_FIELDS} headers` };
  const headers = new Headers();
  for (const field of fields) {
    const [, name, value = ""] = FIELD.exec(field) ?? [];
    if (name === undefined) return { fault: "a header is not valid" };
    // Duplicates are joined by a comma, so that neither a length nor a host can be ambiguous.
    headers.append(name, value);
  }
  const isHttp11 = minor === "1";
  const host = headers.get("host");
  if (host === null && isHttp11) return { fault: "a request of HTTP/1.1 must have a Host" };
  if (host !== null && !HOST.test(host))
    return { fault: "Host must be a name, or a name and a port" };
  const url = target.startsWith("/") ? `http://${host || "localhost"}${target}` : target;
  const body = bodyLength(headers);
  if (body === "malformed") return { fault: UNCLEAR_LENGTH };
  const isLast = !isHttp11 || /\bclose\b/i.test(headers.get("connection") ?? "");
  return { method, url, headers, bodyBytes: body, isHttp11, isLast };
}

function bodyLength(headers: Headers): number | undefined | "malformed" {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (coding !== null) return length === null ? undefined : "malformed";
  if (length === null) return 0;
  return DIGITS.test(length) ? Number(length) : "malformed";
}
