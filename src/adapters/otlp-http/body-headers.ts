import type { Compression } from "../otlp/inflate.ts";

/** What a body is made of. The answer is made of the same. */
export type BodyFormat = "protobuf" | "json";

export const MEDIA_TYPES: Readonly<Record<BodyFormat, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** Of `Content-Type`, without its parameters; undefined when it is neither. */
export function bodyFormat(contentType: string | null): BodyFormat | undefined {
  // What nearly every exporter sends; the rest is for those that add a charset.
  if (contentType === MEDIA_TYPES.protobuf) return "protobuf";
  const [mediaType = ""] = (contentType ?? "").split(";", 1);
  const plain = mediaType.trim().toLowerCase();
  if (plain === MEDIA_TYPES.json) return "json";
  return plain === MEDIA_TYPES.protobuf ? "protobuf" : undefined;
}

export type ContentCoding = "identity" | Compression;

/** For the header of an answer that refuses another one. */
export const CODINGS_TAKEN = "gzip, deflate, zstd, identity";

/**
 * Of `Content-Encoding`; undefined when it is another one, or several. Never `br`, whatever the
 * runtime could do: it has had a hole there. `deflate` is the zlib format, as for the Collector;
 * the bare one has no checksum, so that other bytes could be taken for a request without spans.
 * Source: RFC 9110, section 8.4.1.
 */
export function contentCoding(contentEncoding: string | null): ContentCoding | undefined {
  if (contentEncoding === null) return "identity";
  switch (contentEncoding.trim().toLowerCase()) {
    case "":
    case "identity":
      return "identity";
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "deflate":
      return "deflate";
    case "zstd":
      return "zstd";
    default:
      return undefined;
  }
}
