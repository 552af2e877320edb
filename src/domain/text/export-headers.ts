/** One header that goes with every request. */
export type ExportHeader = readonly [name: string, value: string];

/** Source: gRPC over HTTP2, "Header-Name"; HTTP would take more. */
const NAME = /^[\w.-]+$/;

/** Source: RFC 9110, 5.5, without what is not ASCII: gRPC takes no more. */
const VALUE = /^[\x20-\x7e]*$/;

/** Those that say how the request itself is sent, or are bytes in gRPC, or taken by it. */
const OURS = /^(content-(type|length)|(content|transfer|accept)-encoding|host|te)$/;
/** Source: RFC 9113, 8.2.2: a request of HTTP/2 that has one is malformed. */
const OF_CONNECTION = /^(connection|proxy-connection|keep-alive|upgrade|http2-settings)$/;
const OF_GRPC = /^grpc-|-bin$|^user-agent$/;

/**
 * `name=value,name=value` as in OTEL_EXPORTER_OTLP_HEADERS, values percent-encoded; lines do for
 * commas. Undefined when it is something else, or names a header that is not free.
 *
 * Source: OpenTelemetry Protocol Exporter, "Specifying headers via environment variables"; W3C
 * Baggage, 3.3.1.
 */
export function parseExportHeaders(text: string): readonly ExportHeader[] | undefined {
  const parts = text.split(/[,\n]/).map((part) => part.trim());
  const headers = parts.filter((part) => part !== "").map(parseHeader);
  return headers.every((header) => header !== undefined) ? headers : undefined;
}

function parseHeader(part: string): ExportHeader | undefined {
  const at = part.indexOf("=");
  const name = part.slice(0, Math.max(0, at)).trim().toLowerCase();
  const value = percentDecoded(part.slice(at + 1).trim());
  const isFree = ![OURS, OF_CONNECTION, OF_GRPC].some((taken) => taken.test(name));
  if (!NAME.test(name) || !isFree) return undefined;
  return value !== undefined && VALUE.test(value) ? [name, value] : undefined;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** With the names, but without the values. */
export function concealHeaders(text: string): string {
  const headers = parseExportHeaders(text);
  if (headers === undefined) return "***";
  return headers.map(([name]) => `${name}=***`).join(",");
}
