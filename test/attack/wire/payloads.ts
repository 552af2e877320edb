import { deflateSync, gzipSync } from "node:zlib";
import { requestOf, spanBody } from "../../support/requests/request-bytes.ts";
import { bytesField, tag, varint } from "../../support/requests/wire-bytes.ts";

/** Small requests that cause much work, and large ones that take much memory. */

const JSON_START = '{"resourceSpans":[{"scopeSpans":[{"spans":[';
const JSON_END = "]}]}]}";

/** Returns a request with this many `{}` as its spans. */
export function jsonOfEmptySpans(count: number): Buffer {
  return Buffer.from(`${JSON_START}${"{},".repeat(count - 1)}{}${JSON_END}`);
}

/** Returns a span with this many attributes `{}`. */
export function jsonOfEmptyAttributes(count: number): Buffer {
  const ids = '"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"';
  const attributes = `${"{},".repeat(count - 1)}{}`;
  return Buffer.from(`${JSON_START}{${ids},"attributes":[${attributes}]}${JSON_END}`);
}

/** Returns an attribute whose value is an array nested this deeply. */
export function jsonOfDeepValues(depth: number): Buffer {
  const value = `${'{"arrayValue":{"values":['.repeat(depth)}{}${"]}}".repeat(depth)}`;
  const span = `{"attributes":[{"key":"a","value":${value}}]}`;
  return Buffer.from(`${JSON_START}${span}${JSON_END}`);
}

/** Returns this many empty ResourceSpans, of two bytes each. */
export function emptyFields(count: number): Buffer {
  return Buffer.alloc(2 * count, Buffer.from(bytesField(1)));
}

/** Returns a span with this many empty attributes, of two bytes each. */
export function emptyAttributes(count: number): Buffer {
  const attributes = Buffer.alloc(2 * count, Buffer.from(bytesField(9)));
  const span = Buffer.concat([Buffer.from(spanBody(1)), attributes]);
  return [2, 2, 1].reduce<Buffer>((inner, field) => nested(field, inner), span);
}

function nested(field: number, inner: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...tag(field, 2), ...varint(inner.length)]), inner]);
}

export function zstdBomb(bytes: number): Uint8Array {
  return Bun.zstdCompressSync(Buffer.alloc(bytes));
}

export function gzipped(bytes: Uint8Array): Buffer {
  return gzipSync(bytes);
}

export function deflated(bytes: Uint8Array): Buffer {
  return deflateSync(bytes);
}

/** A request with one short span, as a well-behaved sender might send it. */
export const SMALL_REQUEST: Uint8Array<ArrayBuffer> = requestOf(1);

/** Returns a request with spans of about `bytes` each, every one in its own trace. */
export function paddedRequest(spans: number, bytes: number): Uint8Array<ArrayBuffer> {
  const state = Buffer.alloc(bytes, "p");
  const padding = Buffer.concat([Buffer.from([...tag(3, 2), ...varint(bytes)]), state]);
  const fields = Array.from({ length: spans }, (_, at) =>
    nested(2, Buffer.concat([Buffer.from(spanBody(1 + at)), padding])),
  );
  return new Uint8Array(nested(1, nested(2, Buffer.concat(fields))));
}
