import type { Tally } from "../attack-case.ts";
import type { Talk } from "./siege.ts";

export interface Http1Request {
  readonly method?: "GET" | "POST";
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Returns the bytes of a request. If it has a body, its length is declared. */
export function http1Request({
  method = "POST",
  path = "/v1/traces",
  headers = {},
  body,
}: Http1Request): Buffer {
  const length = body === undefined ? {} : { "Content-Length": String(body.length) };
  const lines = Object.entries({ Host: "localhost", ...headers, ...length });
  const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields}\r\n`, "latin1");
  return body === undefined ? head : Buffer.concat([head, body]);
}

/** A request that the read API answers at once. */
export const HEALTH = http1Request({ method: "GET", path: "/healthz" });

/** Sends a request again after each response. */
export function eachAnswered(request: Uint8Array, tally: Tally): Talk {
  let unanswered = 0;
  const count = statusCounter(tally);
  return {
    opening: new Uint8Array(),
    next: () => {
      if (unanswered > 0) return undefined;
      unanswered += 1;
      return request;
    },
    take: (bytes) => {
      unanswered = Math.max(0, unanswered - count(bytes));
      return undefined;
    },
  };
}

/** Sends the opening and then one piece after the other, whatever the response. */
export function poured(opening: Uint8Array, piece: Uint8Array, tally: Tally): Talk {
  return { opening, next: () => piece, take: counted(tally) };
}

/** Sends only the opening. */
export function unfinished(opening: Uint8Array, tally: Tally): Talk {
  return { opening, take: counted(tally) };
}

function counted(tally: Tally): NonNullable<Talk["take"]> {
  const count = statusCounter(tally);
  return (bytes) => void count(bytes);
}

/** Counts status lines, including those split between two chunks. */
function statusCounter(tally: Tally): (bytes: Buffer) => number {
  const lengthChars = "HTTP/1.1 200".length;
  let rest = "";
  return (bytes) => {
    const text = rest + bytes.toString("latin1");
    const found = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)];
    for (const [, status] of found) tally.add(status!);
    const seen = found.length === 0 ? 0 : found.at(-1)!.index + lengthChars;
    rest = text.slice(Math.max(seen, text.length - lengthChars + 1));
    return found.length;
  };
}
