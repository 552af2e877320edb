import { quotePeerText } from "../../../domain/quote-text.ts";
import { google, opentelemetry } from "../../otlp/generated/otlp.js";
import { fromInt64 } from "../../otlp/int64.ts";

const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

/** What a receiver says to a request. */
export type ExportAnswer =
  /** `message` may be a warning about spans that were all accepted. */
  | { readonly outcome: "accepted"; readonly rejectedSpans: number; readonly message: string }
  | { readonly outcome: "refused"; readonly message: string }
  /** Never at this size; a part of it may pass. */
  | { readonly outcome: "too_large"; readonly message: string }
  /** For now: to be sent again. */
  | { readonly outcome: "retry"; readonly message: string; readonly afterMs?: number };

/** Source: OTLP/HTTP response. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const PAYLOAD_TOO_LARGE = 413;

/** What receivers of gRPC say of a size, and gateways in front of them pass on. */
const RESOURCE_EXHAUSTED = 8;

/** Reads the whole body. Throws only when the connection breaks. */
export async function readExportAnswer(response: Response): Promise<ExportAnswer> {
  const bytes = await response.bytes();
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  if (response.ok) return { outcome: "accepted", ...partialSuccess(bytes, isJson) };
  const { status, statusText, headers } = response;
  const { code, message: said } = statusOf(bytes, isJson);
  const message = `${status} ${quotePeerText(said || statusText)}`.trimEnd();
  const isTooLarge = status === PAYLOAD_TOO_LARGE || code === RESOURCE_EXHAUSTED;
  if (!RETRYABLE.has(status)) return { outcome: isTooLarge ? "too_large" : "refused", message };
  const afterMs = retryAfterMs(headers.get("retry-after"));
  return { outcome: "retry", message, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** An answer that cannot be read is that of a success all the same: the status says so. */
function partialSuccess(bytes: Uint8Array, isJson: boolean) {
  try {
    const partial = isJson ? jsonPartialSuccess(bytes) : binaryPartialSuccess(bytes);
    return { ...partial, message: quotePeerText(partial.message) };
  } catch {
    return { rejectedSpans: 0, message: "" };
  }
}

function binaryPartialSuccess(bytes: Uint8Array) {
  const { partialSuccess: partial } = ExportTraceServiceResponse.decode(bytes);
  if (partial === null) return { rejectedSpans: 0, message: "" };
  return { rejectedSpans: Number(fromInt64(partial.rejectedSpans)), message: partial.errorMessage };
}

function jsonPartialSuccess(bytes: Uint8Array) {
  const { partialSuccess: partial = {} } = parseJson(bytes);
  const { rejectedSpans = 0, errorMessage = "" } = partial as Readonly<Record<string, unknown>>;
  return { rejectedSpans: Number(rejectedSpans), message: String(errorMessage) };
}

/** Reads a `google.rpc.Status`; one without a code where there is none. */
function statusOf(bytes: Uint8Array, isJson: boolean): { code: number; message: string } {
  try {
    if (!isJson) return google.rpc.Status.decode(bytes);
    const { code = 0, message = "" } = parseJson(bytes);
    return { code: Number(code), message: String(message) };
  } catch {
    return { code: 0, message: "" };
  }
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
}

/** Seconds, or a date. Source: RFC 9110, 10.2.3. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const ms = Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
