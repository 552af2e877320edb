import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { SendOutcome } from "../../ports/span-sink.ts";
import {
  type Answer,
  failureOutcome,
  statusDetails,
  successOutcome,
  httpVerdict,
} from "./upstream-status.ts";
import { MAX_RESPONSE_BYTES } from "./export-response.ts";

/**
 * Reads the response of an OTLP/HTTP receiver to a request of `spanCount` spans. Never rejects: if
 * the body cannot be read, the status has still settled the spans, and sending them again would
 * duplicate them.
 */
export async function readHttpAnswer(response: Response, spanCount: number): Promise<SendOutcome> {
  const { status, statusText, headers } = response;
  const verdict = httpVerdict(status);
  const body = await bodyOf(response);
  if (verdict.outcome === "success") {
    if ("unread" in body) return { outcome: "delivered", message: body.unread };
    if (isPage(body.bytes, headers)) return { ...PAGE, message: `${status}: ${PAGE_ANSWERED}` };
    return successOutcome(answerOf(body.bytes, headers), spanCount);
  }
  const answer = answerOf("unread" in body ? NO_BYTES : body.bytes, headers);
  const details = statusDetails(answer);
  const said = redirection(response) ?? (details.message || otherText(answer, headers));
  const afterMs = retryAfterMs(headers.get("retry-after"), Date.now()) ?? details.retryAfterMs;
  const isTooLarge = verdict.outcome !== "retry" && details.code === RESOURCE_EXHAUSTED;
  const found = isTooLarge ? TOO_LARGE : verdict;
  return failureOutcome(found, `${status}: ${said || statusText}`, afterMs);
}

/** The gRPC status for a request that is too large, which gateways pass on over HTTP. */
const RESOURCE_EXHAUSTED = 8;
const TOO_LARGE = { outcome: "too_large" } as const;

const PAGE = { outcome: "blocked", reason: "unsupported" } as const;
const PAGE_ANSWERED = "a web page, not the response of an OTLP receiver";

/**
 * Reports whether a body is a web page: web servers, sign-in pages and captive portals answer 200
 * to anything and store no span. Other unreadable bodies may come from a receiver.
 */
function isPage(bytes: Uint8Array, headers: Headers): boolean {
  const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart();
  if (start === "") return false;
  return typeOf(headers) === "text/html" || /^<(!doctype html|html)\b/i.test(start);
}

const NO_BYTES = new Uint8Array(0);

function answerOf(bytes: Uint8Array, headers: Headers): Answer {
  return { bytes, isJson: typeOf(headers) === "application/json" };
}

function typeOf(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

/**
 * Returns a body with which a proxy, a gateway or a web server explains its status in plain text or
 * as a problem. HTML pages are meant for browsers, and left out.
 */
function otherText({ bytes }: Answer, headers: Headers): string {
  const type = typeOf(headers);
  if (type === "application/problem+json") return problemText(bytes);
  return type === "text/plain" ? new TextDecoder().decode(bytes.subarray(0, 1024)) : "";
}

/** Returns the detail of a problem, if it has one. Source: RFC 9457. */
function problemText(bytes: Uint8Array): string {
  try {
    const problem = JSON.parse(new TextDecoder().decode(bytes)) as { detail?: unknown } | null;
    return typeof problem?.detail === "string" ? problem.detail : "";
  } catch {
    return "";
  }
}

/** Explains a redirect, without its query, which may be secret. Redirects are not followed. */
function redirection({ status, headers }: Response): string | undefined {
  if (status < 300 || status >= 400) return undefined;
  const [to = ""] = (headers.get("location") ?? "").split("?");
  return `redirects are not followed${to === "" ? "" : `; this one leads to ${quotePeerText(to)}`}`;
}

async function bodyOf({ body }: Response): Promise<{ bytes: Uint8Array } | { unread: string }> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  if (body === null) return { bytes: NO_BYTES };
  try {
    for await (const chunk of body) {
      lengthBytes += chunk.length;
      if (lengthBytes > MAX_RESPONSE_BYTES) return { unread: TOO_LONG };
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks) };
  } catch (error) {
    return { unread: `its response was cut off: ${codeOf(error)}` };
  }
}

const TOO_LONG = `its response is longer than ${MAX_RESPONSE_BYTES} bytes, and was not read`;

/** Returns the code of an error: the runtime's message may contain the whole URL. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return quotePeerText(String(error));
  return quotePeerText("code" in error ? String(error.code) : error.name);
}

/** Matches the three forms of an HTTP date, which all start with the day of the week. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/**
 * Returns the delay of a `Retry-After` header, in seconds or as a date relative to `nowMs`;
 * undefined for any other text.
 *
 * Source: RFC 9110, 10.2.3.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const ms = HTTP_DATE.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
