import { UNSUPPORTED_SIGNALS } from "../../application/receiving/unsupported-signals.ts";
import type { Problem } from "../../ports/logger.ts";
import type { Objection } from "../otlp/status-table.ts";
import { isPreflight } from "./cors.ts";

/** A fault that the headers of a request show. */
export type WrongRequest = Exclude<Objection, { readonly outcome: "busy" }>;

/** Why it is refused, as a problem reason. */
export type WrongReason =
  "unknown_path" | "wrong_method" | "unsupported_type" | "unsupported_encoding";

/**
 * Returns the problem to record for such a request. The path decides whether it may have carried
 * spans: some exporters append `/v1/traces` to their endpoint, others do not.
 */
export function wrongRequestProblem(
  request: Request,
  reason: WrongReason,
): Pick<Problem, "reason" | "detail"> {
  if (isPreflight(request)) return { reason: "origin_not_allowed" };
  const path = pathOf(request.url);
  if (request.method !== "POST") {
    return { reason: "wrong_method", detail: `${request.method} ${path}` };
  }
  const signal = UNSUPPORTED_SIGNALS.find((each) => path.endsWith(`/v1/${each}`));
  if (signal !== undefined) return { reason: `unsupported_${signal}`, detail: path };
  return { reason, detail: detailOf(reason, path, request.headers) };
}

function detailOf(reason: WrongReason, path: string, headers: Headers): string {
  if (reason === "unsupported_type") return headerText(headers, "Content-Type", USUAL_TYPES);
  if (reason === "unsupported_encoding") return headerText(headers, "Content-Encoding", CODINGS);
  return path;
}

const USUAL_TYPES = [
  "application/grpc-web",
  "application/octet-stream",
  "application/protobuf",
  "application/vnd.google.protobuf",
  "application/x-ndjson",
  "application/x-thrift",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
  "text/html",
  "text/json",
  "text/plain",
];

const CODINGS = ["br", "compress", "deflate", "lz4", "snappy"];

/** Returns a header value if it is a well-known one: other values must not be logged. */
function headerText(headers: Headers, name: string, usual: readonly string[]): string {
  const value = headers.get(name);
  if (value === null || value === "") return `no ${name}`;
  const [first = ""] = value.split(";", 1);
  const plain = first.trim().toLowerCase();
  return usual.includes(plain) ? `${name}: ${plain}` : `another ${name}`;
}

/**
 * Returns the path of a URL. A client of HTTP/1.0 may omit Host, and then the URL is only a path.
 */
export function pathOf(url: string): string {
  const begin = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("?", begin);
  return end < 0 ? url.slice(begin) : url.slice(begin, end);
}
