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
 * Returns the answer in the format of the request. The body of a success is empty in protobuf and
 * `{}` in JSON; every failure has a `google.rpc.Status`.
 */
export function answerResponse(
  answer: Answer,
  format: BodyFormat,
  extraHeaders?: ExtraHeaders,
): Response {
  if (answer.outcome === "accepted" && extraHeaders === undefined) return acceptedResponse(format);
  const headers = { "Content-Type": MEDIA_TYPES[format], ...retryAfter(answer), ...extraHeaders };
  return new Response(bodyOf(answer, format), {
    status: STATUS_TABLE[answer.outcome].httpStatus,
    headers,
  });
}

/**
 * Returns nearly every answer. Bun takes the header `Content-Type` from the type of a `Blob`, which
 * costs half as much as an object of headers. To the type of JSON it would add a character set,
 * which OTLP does not use.
 */
function acceptedResponse(format: BodyFormat): Response {
  return format === "json" ? new Response("{}", OF_JSON) : new Response(EMPTY_PROTOBUF);
}

const EMPTY_PROTOBUF = new Blob([], { type: MEDIA_TYPES.protobuf });
const OF_JSON: ResponseInit = { headers: { "Content-Type": MEDIA_TYPES.json } };

function bodyOf(answer: Answer, format: BodyFormat): string | Uint8Array<ArrayBuffer> | null {
  if (format === "json") return isSuccess(answer) ? exportResponseJson(answer) : statusJson(answer);
  if (answer.outcome === "accepted") return null;
  // A copy: the writer returns a view of a shared pool, and the body is sent later.
  return new Uint8Array(isSuccess(answer) ? encodeExportResponse(answer) : encodeStatus(answer));
}

/** Returns whole seconds, as HTTP requires, rounded up so that no sender retries too early. */
function retryAfter(answer: Answer): ExtraHeaders {
  if (!("retryAfterMs" in answer)) return {};
  return { "Retry-After": String(Math.ceil(answer.retryAfterMs / 1000)) };
}
