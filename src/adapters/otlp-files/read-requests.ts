import { type ByteSource, openSource, peekBytes } from "./byte-source.ts";
import type { FileItem } from "./file-request.ts";
import { jsonRequests } from "./json-requests.ts";
import { bareRequests, lengthDelimitedRequests } from "./proto-requests.ts";

const HEAD_BYTES = 512;

/** The first field of a request, `resource_spans`: a field 1 with a length. */
const RESOURCE_SPANS_TAG = 0x0a;

/** Where files that are compressed begin. Source: RFC 1952, RFC 8878. */
const COMPRESSED = [
  { magic: [0x1f, 0x8b], mend: "gzip; use zcat FILE | spanring send -" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], mend: "zstd; use zstdcat FILE | spanring send -" },
] as const;

/**
 * Every request of a file, whatever its format: it is told by the first bytes, for a pipe has no
 * name. A fault comes last.
 */
export async function* readRequests(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileItem> {
  const source = openSource(chunks);
  const head = await peekBytes(source, HEAD_BYTES);
  if (head.length > 0) yield* requestsIn(source, head);
}

function requestsIn(source: ByteSource, head: Uint8Array): AsyncIterable<FileItem> {
  if (isJson(head)) return jsonRequests(source);
  if (head[0] === RESOURCE_SPANS_TAG) return bareRequests(source);
  if (isLengthDelimited(head)) return lengthDelimitedRequests(source);
  return unknownFormat(head);
}

/**
 * An encoded request may begin with the very bytes `\n{\n"` (a field 1 of 123 bytes, in it a field
 * 1 of 34), but then has bytes soon after that no JSON text has.
 */
function isJson(head: Uint8Array): boolean {
  const isText = head.every((byte) => byte >= 0x20 || [0x09, 0x0a, 0x0d].includes(byte));
  return isText && /^\s*\{/.test(new TextDecoder().decode(head));
}

function isLengthDelimited(head: Uint8Array): boolean {
  if (head.length < 4) return head[0] === 0;
  const isEmpty = head.subarray(0, 4).every((byte) => byte === 0);
  return isEmpty || head[4] === RESOURCE_SPANS_TAG;
}

async function* unknownFormat(head: Uint8Array): AsyncGenerator<FileItem> {
  const compressed = COMPRESSED.find(({ magic }) => magic.every((byte, at) => head[at] === byte));
  if (compressed !== undefined) yield { fault: `byte 0: compressed with ${compressed.mend}` };
  else yield { fault: "byte 0: neither OTLP/JSON nor protobuf" };
}
