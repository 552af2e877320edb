import type { Problem, ProblemLog } from "../../ports/problem-log.ts";
import { encodeStatus, statusJson } from "../otlp/export-response.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";
import type { Opening } from "./opening.ts";

const REASONS = { http1: "http_on_grpc", tls: "tls", other: "not_http2" } as const;

/** `POST /v1/traces?a=b HTTP/1.1`, of which the query is left out: it may hold a secret. */
const REQUEST_LINE = /^([A-Z]+ [^\s?]*)/;

/** Returns what is recorded of a connection that does not begin as gRPC does. */
export function misdirectedProblem(
  opening: Exclude<Opening, "http2">,
  head: Buffer,
): Pick<Problem, "reason" | "detail"> {
  const [line = ""] = REQUEST_LINE.exec(textOf(head)) ?? [];
  return { reason: REASONS[opening], detail: opening === "http1" ? line : "" };
}

/**
 * Returns an answer in HTTP/1.1, with a `google.rpc.Status` in the format of the request, as OTLP
 * wants it. TLS and all else get it as well: most clients show a person the first line that they do
 * not understand, and some know it for HTTP.
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

/** What is behind that is not looked at. */
const MAX_HEAD_BYTES = 4096;
