import {
  type Answer,
  encodeExportResponse,
  encodeStatus,
  exportResponseJson,
  isSuccess,
  statusJson,
} from "../otlp/export-response.ts";
import { STATUS_TABLE } from "../otlp/status-table.ts";
import { type BodyFormat, MEDIA_TYPES } from "./request-body.ts";

export type ExtraHeaders = Readonly<Record<string, string>>;

/**
 * The answer in the format of the request. Success has a body of zero bytes in protobuf, and `{}`
 * in JSON; every failure has a `google.rpc.Status`.
 */
export function answerResponse(
  answer: Answer,
  format: BodyFormat,
  extraHeaders?: ExtraHeaders,
): Response {
  const headers = { "Content-Type": MEDIA_TYPES[format], ...retryAfter(answer), ...extraHeaders };
  return new Response(bodyOf(answer, format), {
    status: STATUS_TABLE[answer.outcome].httpStatus,
    headers,
  });
}

function bodyOf(answer: Answer, format: BodyFormat): string | Uint8Array<ArrayBuffer> | null {
  if (format === "json") return isSuccess(answer) ? exportResponseJson(answer) : statusJson(answer);
  if (answer.outcome === "accepted") return null;
  // The writer hands out a piece of a shared pool: a copy, since the body is sent later.
  return new Uint8Array(isSuccess(answer) ? encodeExportResponse(answer) : encodeStatus(answer));
}

/** In whole seconds, as HTTP has it: rounded up, so that nobody comes too early. */
function retryAfter(answer: Answer): ExtraHeaders {
  if (!("retryAfterMs" in answer)) return {};
  return { "Retry-After": String(Math.ceil(answer.retryAfterMs / 1000)) };
}
