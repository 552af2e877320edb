import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

/** Returns the response of an OTLP/HTTP receiver, in the encoding of the request. */
export function exportSuccess(contentType: string, rejectedSpans = 0, errorMessage = ""): Response {
  const isPartial = rejectedSpans !== 0 || errorMessage !== "";
  const partialSuccess = { rejectedSpans, errorMessage };
  const headers = { "Content-Type": contentType };
  if (contentType === "application/json") {
    const partial = { rejectedSpans: String(rejectedSpans), errorMessage };
    return new Response(JSON.stringify(isPartial ? { partialSuccess: partial } : {}), { headers });
  }
  const bytes = isPartial ? ExportTraceServiceResponse.encode({ partialSuccess }).finish() : [];
  return new Response(Uint8Array.from(bytes), { headers });
}

export function exportFailure(
  status: number,
  message: string,
  { contentType = "application/x-protobuf", retryAfter = "", code = 14 } = {},
): Response {
  const isJson = contentType === "application/json";
  const bytes = Uint8Array.from(google.rpc.Status.encode({ code, message }).finish());
  return new Response(isJson ? JSON.stringify({ code, message }) : bytes, {
    status,
    headers: {
      "Content-Type": contentType,
      ...(retryAfter === "" ? {} : { "Retry-After": retryAfter }),
    },
  });
}
