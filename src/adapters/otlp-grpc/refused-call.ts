import type { OutgoingHttpHeaders } from "node:http2";
import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { Problem } from "../../ports/problem-log.ts";
import { GRPC_CODE } from "../otlp/status-table.ts";
import { EXPORT_PATH } from "./trace-service.ts";
import { UNSUPPORTED_PATHS } from "./unsupported-services.ts";

type CallProblem = Pick<Problem, "reason" | "detail">;

const SIGNAL_REASONS: ReadonlyMap<string, ProblemReason> = new Map([
  [UNSUPPORTED_PATHS.metrics, "unsupported_metrics"],
  [UNSUPPORTED_PATHS.logs, "unsupported_logs"],
]);

/** What grpc-js 1.14.7 says of a method that nobody has registered. */
const UNIMPLEMENTED_TEXT = "The server does not implement the method";

/** Of OTLP/HTTP, over HTTP/2. */
const HTTP_PATH = /\/v1\/(traces|metrics|logs)$/;

/** Returns what is recorded of a call that grpc-js refuses before any handler sees it. */
export function refusedCall(headers: OutgoingHttpHeaders, path: string): CallProblem | undefined {
  if (headers[":status"] === 415) {
    return { reason: HTTP_PATH.test(path) ? "http_on_grpc" : "unsupported_type", detail: path };
  }
  if (headers["grpc-status"] !== GRPC_CODE.UNIMPLEMENTED) return undefined;
  if (!String(headers["grpc-message"]).startsWith(UNIMPLEMENTED_TEXT)) return undefined;
  return { reason: SIGNAL_REASONS.get(path) ?? "unknown_path", detail: path };
}

/** Returns the same of a message that is too long; undefined where it could not have had spans. */
export function tooLargeCall(
  path: string,
  { lengthBytes, maxBytes }: { readonly lengthBytes: number; readonly maxBytes: number },
): CallProblem | undefined {
  const reason = path === EXPORT_PATH ? "too_large" : SIGNAL_REASONS.get(path);
  const detail = `the message has ${lengthBytes} bytes; the limit is ${maxBytes}`;
  return reason === undefined ? undefined : { reason, detail };
}
