/** A header that is added to every request. */
export type ExportHeader = readonly [name: string, value: string];

/** Names that gRPC allows; HTTP would allow more. Source: gRPC over HTTP2, "Header-Name". */
const NAME = /^[\w.-]+$/;

/** Values in ASCII: gRPC allows no others. Source: RFC 9110, 5.5. */
const VALUE = /^[\x20-\x7e]*$/;

/** Headers that the sinks set themselves. */
const OURS = /^(content-(type|length)|(content|transfer|accept)-encoding|host|te)$/;
/**
 * Headers of a connection: a request of HTTP/2 with one of them is malformed. Source: RFC 9113,
 * 8.2.2.
 */
const OF_CONNECTION = /^(connection|proxy-connection|keep-alive|upgrade|http2-settings)$/;
const OF_GRPC = /^grpc-|-bin$|^user-agent$/;

/**
 * Reads `name=value,name=value` as in OTEL_EXPORTER_OTLP_HEADERS, with percent-encoded values; line
 * breaks may replace commas. Returns undefined for other text, and for reserved names.
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

/** Returns the headers with names, and with `***` for each value. */
export function concealHeaders(text: string): string {
  const headers = parseExportHeaders(text);
  if (headers === undefined) return "***";
  return headers.map(([name]) => `${name}=***`).join(",");
}
