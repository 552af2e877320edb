import { RESOURCE_SPANS_TAG } from "../../domain/wire/otlp-tags.ts";
import {
  type ByteSource,
  dropBytes,
  openSource,
  peekBytes,
  restOf,
  compressionOf,
  decompressed,
  type FileCompression,
  decompressedMessage,
  MAX_REQUEST_BYTES,
  type ReadLimits,
  WIDE_LIMITS,
} from "./byte-source.ts";
import {
  type FileItem,
  mergedFaults,
  countSpans,
  earliestStartMs,
  type FileFault,
  type FileRequest,
  type OtherSignal,
} from "./file-request.ts";
import { isJsonSpace } from "./json-scan.ts";
import { jsonRequests, readJsonRequest } from "./json-requests.ts";
import {
  faultAt,
  HOLE,
  isHole,
  skipHole,
  skipToMessage,
  LENGTH_BYTES,
  framedItems,
} from "./message-frames.ts";
import { fieldsOf, splitRequest } from "./request-split.ts";
import { systemErrorText } from "../../domain/text/system-error.ts";

/** The number of bytes that suffice to detect the format, even an ambiguous one. */
const HEAD_BYTES = 512;
const OPENING_BRACE = 0x7b;
/** The number of bytes to wait for, because a pipe may deliver no more for a long time. */
const FIRST_BYTES = 16;

/**
 * Yields the requests of a file of any format. The first bytes determine the format, because a pipe
 * has no name. A broken part is skipped and yielded as a fault. It never throws: a file that cannot
 * be read to its end yields a fault there.
 */
export function readRequests(
  chunks: AsyncIterable<Uint8Array>,
  limits: ReadLimits = WIDE_LIMITS,
): AsyncGenerator<FileItem> {
  return mergedFaults(readItems(chunks, limits, formatItems));
}

type ItemsOf = (source: ByteSource, head: Uint8Array) => AsyncGenerator<FileItem>;

async function* readItems(
  chunks: AsyncIterable<Uint8Array>,
  limits: ReadLimits,
  itemsOf: ItemsOf,
): AsyncGenerator<FileItem> {
  const ending: { reason?: string } = {};
  const source = openSource(untilError(chunks, ending), limits);
  try {
    yield* afterHole(source, itemsOf);
    const first = source.offsetBytes;
    const place = { unit: "byte", first, last: first, skippedBytes: undefined } as const;
    if (ending.reason !== undefined) yield { fault: ending.reason, ...place };
  } finally {
    await source.chunks.return?.();
  }
}

/** Yields the chunks, and ends instead of throwing, so that everything before an error is read. */
async function* untilError(
  chunks: AsyncIterable<Uint8Array>,
  ending: { reason?: string },
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    ending.reason = `cannot read further: ${systemErrorText(error)}`;
  }
}

/** Skips zero bytes that a crash has left at the beginning of the file. */
async function* afterHole(source: ByteSource, itemsOf: ItemsOf): AsyncGenerator<FileItem> {
  const { offsetBytes } = source;
  if (isHole(await peekBytes(source, FIRST_BYTES))) {
    await skipHole(source);
    const behind = await headOf(source);
    if (isText(behind)) dropBytes(source, zerosIn(behind));
    yield faultAt(offsetBytes, HOLE, source);
  }
  const head = await headOf(source);
  if (head.length > 0) yield* itemsOf(source, head);
}

/**
 * Returns the first bytes, waiting only for as many as the format needs: how a pipe divides them
 * must not decide what they are.
 */
async function headOf(source: ByteSource): Promise<Uint8Array> {
  const first = await peekBytes(source, FIRST_BYTES);
  const isClear = first[0] === OPENING_BRACE || compressionOf(first) !== undefined;
  return isClear ? first : await peekBytes(source, HEAD_BYTES);
}

function formatItems(source: ByteSource, head: Uint8Array): AsyncGenerator<FileItem> {
  const compression = compressionOf(head);
  return compression === undefined
    ? plainItems(source, head)
    : compressedItems(source, compression);
}

function plainItems(source: ByteSource, head: Uint8Array): AsyncGenerator<FileItem> {
  if (head[0] === OPENING_BRACE || isText(head)) return jsonRequests(source);
  if (head[0] === RESOURCE_SPANS_TAG) return bareRequests(source);
  if (isFramed(head)) return framedRequests(source);
  return isMostlyText(head) ? jsonRequests(source) : unknownItems(source);
}

async function* compressedItems(
  source: ByteSource,
  compression: FileCompression,
): AsyncGenerator<FileItem> {
  let { offsetBytes } = source;
  const { limits } = source;
  const plain = noted(decompressed(restOf(source), compression), limits);
  for await (const item of readItems(plain, limits, plainItems)) {
    yield "fault" in item ? item : { ...item, fileBytes: source.offsetBytes - offsetBytes };
    if (!("fault" in item)) ({ offsetBytes } = source);
  }
}

async function* noted(
  chunks: AsyncIterable<Uint8Array>,
  limits: ReadLimits,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    limits.decompressed(chunk.length);
    yield chunk;
  }
}

/** Reads a file whose beginning may be lost, with length-delimited messages after it. */
async function* unknownItems(source: ByteSource): AsyncGenerator<FileItem> {
  const { offsetBytes } = source;
  await skipToMessage(source);
  yield faultAt(offsetBytes, "neither OTLP/JSON nor protobuf", source);
  yield* framedRequests(source);
}

/**
 * Reports whether a file is text. A line of JSON may be torn and contain zero bytes. An encoded
 * request may begin with the bytes `\n{\n"` (a field 1 of 123 bytes that contains a field 1 of 34),
 * but is soon followed by bytes that text does not have.
 */
function isText(head: Uint8Array): boolean {
  const zeros = zerosIn(head);
  const isLength = zeros > 0 && !isAscii(head[zeros] ?? 0);
  return !isLength && head.every(isTextOrNul);
}

/** A JSON file has only a few bytes that are no text, where it is damaged. */
function isMostlyText(head: Uint8Array): boolean {
  return head.filter((byte) => byte !== 0 && isTextOrNul(byte)).length >= head.length * 0.9;
}

function isAscii(byte: number): boolean {
  return isTextOrNul(byte) && byte !== 0 && byte < 0x80;
}

function isTextOrNul(byte: number): boolean {
  return byte >= 0x20 || byte === 0 || isJsonSpace(byte);
}

/** Returns the number of leading zero bytes. */
function zerosIn(head: Uint8Array): number {
  const end = head.findIndex((byte) => byte !== 0);
  return end < 0 ? head.length : end;
}

function isFramed(head: Uint8Array): boolean {
  if (head.length < LENGTH_BYTES) return head[0] === 0;
  const [begin, end] = [LENGTH_BYTES, 2 * LENGTH_BYTES];
  const isCompressed = compressionOf(head.subarray(begin, end)) !== undefined;
  return zerosIn(head) >= LENGTH_BYTES || head[begin] === RESOURCE_SPANS_TAG || isCompressed;
}

/** Yields length-delimited encoded requests. */
export function lengthDelimitedRequests(
  source: ByteSource,
  maxBytes = MAX_REQUEST_BYTES,
): AsyncGenerator<FileRequest | FileFault> {
  return framedItems(source, maxBytes, async (message, fileBytes) =>
    requestItem(message, fileBytes),
  );
}

/** Yields length-delimited requests, compressed or OTLP/JSON too, as the Collector writes. */
function framedRequests(source: ByteSource): AsyncGenerator<FileItem> {
  const { limits } = source;
  return framedItems(source, limits.requestBytes, (message, fileBytes) =>
    readMessage(message, fileBytes, limits),
  );
}

async function readMessage(
  message: Uint8Array,
  fileBytes: number,
  limits: ReadLimits,
): Promise<FileRequest | OtherSignal | string> {
  const compression = compressionOf(message);
  if (compression === undefined) return requestItem(message, fileBytes);
  const { requestBytes, parsedBytes } = limits;
  try {
    const bytes = await decompressedMessage(message, compression, requestBytes);
    if (bytes === "too long") return `longer than ${requestBytes} bytes when decompressed`;
    limits.decompressed(bytes.length);
    const isProto = bytes.length === 0 || bytes[0] === RESOURCE_SPANS_TAG;
    return isProto ? requestItem(bytes, fileBytes) : readJsonRequest(bytes, fileBytes, parsedBytes);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Yields a bare request in pieces, because it may be larger than receivers accept. */
async function* bareRequests(source: ByteSource): AsyncGenerator<FileRequest | FileFault> {
  let { offsetBytes } = source;
  for await (const piece of splitRequest(source)) {
    if ("fault" in piece) {
      for await (const _ of restOf(source));
      yield faultAt(offsetBytes, piece.fault, source);
      return;
    }
    yield* pieceItems(piece, offsetBytes);
    offsetBytes += piece.length;
  }
}

/** Yields a piece, or its fields one by one if it is broken, so that the others are not lost. */
function* pieceItems(piece: Uint8Array, offsetBytes: number): Generator<FileRequest | FileFault> {
  const whole = requestItem(piece, piece.length);
  if (typeof whole !== "string") return yield whole;
  let first = offsetBytes;
  for (const field of fieldsOf(piece)) {
    const item = requestItem(field, field.length);
    const skippedBytes = field.length;
    if (typeof item !== "string") yield item;
    else yield { fault: item, unit: "byte", first, last: first, skippedBytes };
    first += field.length;
  }
}

/** Returns an encoded request, or the reason if it is none. */
export function requestItem(bytes: Uint8Array, fileBytes: number): FileRequest | string {
  const spanCount = countSpans(bytes);
  if (typeof spanCount === "string") return `this is not a trace request: ${spanCount}`;
  const contentType = "application/x-protobuf";
  return {
    bytes,
    contentType,
    spanCount,
    earliestStartMs: () => earliestStartMs(bytes),
    fileBytes,
  };
}
