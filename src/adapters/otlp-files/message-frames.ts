import { Buffer } from "node:buffer";
import type { FileFormat } from "../../domain/text/file-format.ts";
import { releaseBytes } from "../../application/ring/release-bytes.ts";
import { otlpJsonChunks } from "../otlp/json/otlp-json.ts";
import { RESOURCE_SPANS_TAG } from "../../domain/wire/otlp-tags.ts";
import { varintValue, varintWidth } from "../../domain/wire/scalars.ts";
import { areWholeZstdFrames } from "../otlp/inflate.ts";
import {
  type ByteSource,
  dropBytes,
  holdChunk,
  peekBytes,
  returnBytes,
  takeBytes,
  compressionOf,
  MAX_REQUEST_BYTES,
} from "./byte-source.ts";
import { countSpans, type FileFault } from "./file-request.ts";

/** The size of the length before each protobuf message, big endian. */
export const LENGTH_BYTES = 4;

const LINE_END = Buffer.from("\n");

/**
 * Returns an encoded request as a frame of a file. Files contain only frames, so that they can be
 * appended to and concatenated.
 *
 * Source: opentelemetry-collector-contrib, exporter/fileexporter/file_writer.go.
 */
export function frameRequest(request: Uint8Array, format: FileFormat): Uint8Array {
  if (format === "json") return Buffer.concat([...otlpJsonChunks(request), LINE_END]);
  return lengthDelimited(request);
}

/**
 * Does the same, but yields to the event loop between chunks, because JSON takes long, and frees
 * the chunks.
 */
export async function frameInSteps(request: Uint8Array, format: FileFormat): Promise<Uint8Array> {
  if (format === "proto") return lengthDelimited(request);
  const chunks: Uint8Array[] = [];
  for (const chunk of otlpJsonChunks(request)) {
    chunks.push(chunk);
    // oxlint-disable-next-line no-await-in-loop -- other work gets its turn between two chunks
    await new Promise((resolve) => void setImmediate(resolve));
  }
  return joined([...chunks, LINE_END]);
}

/** Returns the parts as one, and frees them, unless there is only one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = Buffer.concat(parts);
  for (const part of parts) releaseBytes(part);
  return whole;
}

function lengthDelimited(request: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + request.length);
  framed.writeUInt32BE(request.length);
  framed.set(request, LENGTH_BYTES);
  return framed;
}

/** This many zero bytes are the trace of a crash, not empty messages. */
const HOLE_BYTES = 16;

export const HOLE = "NUL bytes, probably left by a crash";

/** Returns the item that a message encodes, or what is wrong with it. */
type ReadMessage<Item> = (message: Uint8Array, fileBytes: number) => Promise<Item | string>;

/**
 * Yields length-delimited protobuf messages, as the Collector's file exporter writes them with
 * `format: proto`, and with compression.
 *
 *     [ length: 4 bytes, big endian ][ ExportTraceServiceRequest ][ length ][ ...
 *
 * After an unreadable message it searches for the next one, because the writer may have been killed
 * and may have continued after it. A message is yielded once the next one is known: a truncated one
 * may be readable, with the beginning of the next message as its last text.
 *
 * Source: opentelemetry-collector-contrib, exporter/fileexporter/file_writer.go.
 */
export async function* framedItems<Item extends object>(
  source: ByteSource,
  maxBytes: number,
  read: ReadMessage<Item>,
): AsyncGenerator<Item | FileFault> {
  let last: LastMessage<Item> | undefined;
  for (;;) {
    const { offsetBytes } = source;
    // oxlint-disable no-await-in-loop -- a message comes after the one before it
    const message = await nextMessage(source, maxBytes);
    if (message === undefined) break;
    const fileBytes = LENGTH_BYTES + message.length;
    const item = typeof message === "string" ? message : await read(message, fileBytes);
    if (typeof item !== "string") {
      if (last !== undefined) yield last.item;
      last = { item, framed: await takeBytes(source, fileBytes) };
      continue;
    }
    const tornBytes = last === undefined ? undefined : await skipTorn(source, last.framed);
    if (tornBytes === undefined) {
      if (last !== undefined) yield last.item;
      await skipToMessage(source);
      yield faultAt(offsetBytes, item, source);
    } else yield faultAt(source.offsetBytes - tornBytes, TORN, source);
    last = undefined;
    // oxlint-enable no-await-in-loop
  }
  if (last !== undefined) yield last.item;
}

const TORN = "truncated: another request begins inside it";

interface LastMessage<Item> {
  readonly item: Item;
  /** The message with its length. */
  readonly framed: Uint8Array;
}

/**
 * Moves back to a message that begins inside the last one, and returns the number of bytes before
 * it. If there is no such message, does not move, and returns undefined.
 */
async function skipTorn(source: ByteSource, framed: Uint8Array): Promise<number | undefined> {
  returnBytes(source, framed);
  const held = await peekBytes(source, framed.length + MESSAGE_HEAD_BYTES);
  for (let at = 1; at < framed.length; at += 1) {
    if (!isLikely(held, at)) continue;
    // oxlint-disable-next-line no-await-in-loop -- the search ends at the first one
    const message = await likelyMessageAt(source, at);
    if (message === undefined || at + LENGTH_BYTES + message.length <= framed.length) continue;
    dropBytes(source, at);
    return at;
  }
  dropBytes(source, framed.length);
  return undefined;
}

/** Returns the next message, or the reason why it cannot be read; undefined at the end. */
async function nextMessage(
  source: ByteSource,
  maxBytes: number,
): Promise<Uint8Array | string | undefined> {
  const head = await peekBytes(source, HOLE_BYTES);
  if (head.length === 0) return undefined;
  return isHole(head) ? HOLE : await peekMessage(source, maxBytes);
}

/** Returns a fault for the bytes from an offset to the next byte of the source. */
export function faultAt(offsetBytes: number, fault: string, source: ByteSource): FileFault {
  const skippedBytes = source.offsetBytes - offsetBytes;
  return { fault, unit: "byte", first: offsetBytes, last: offsetBytes, skippedBytes };
}

export function isHole(head: Uint8Array): boolean {
  const begin = head.subarray(0, HOLE_BYTES);
  return begin.length === HOLE_BYTES && begin.every((byte) => byte === 0);
}

/** Returns the message that begins `at` bytes from here, or the reason why it cannot be read. */
async function peekMessage(
  source: ByteSource,
  maxBytes: number,
  at = 0,
): Promise<Uint8Array | string> {
  const begin = at + LENGTH_BYTES;
  const head = await peekBytes(source, begin);
  if (head.length < begin) return "truncated within a length";
  const length = lengthAt(head, at);
  if (length > maxBytes) return `a request of ${length} bytes; the maximum is ${maxBytes}`;
  const framed = await peekBytes(source, begin + length);
  const message = framed.subarray(begin);
  if (message.length === length) return message;
  return `truncated: the request that begins there has ${message.length} of its ${length} bytes`;
}

function lengthAt({ buffer, byteOffset }: Uint8Array, at: number): number {
  return new DataView(buffer, byteOffset + at, LENGTH_BYTES).getUint32(0);
}

/** The number of bytes that are searched at a time. */
const SEARCHED_BYTES = 64 * 1024;

/** The size of a message length, a tag and the longest length of a field. */
const MESSAGE_HEAD_BYTES = LENGTH_BYTES + 1 + 10;

/** Skips to the next readable message, or to the end. */
export async function skipToMessage(source: ByteSource): Promise<void> {
  const isInHole = isHole(await peekBytes(source, HOLE_BYTES));
  if (isInHole) await skipHole(source);
  else dropBytes(source, 1);
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one part is searched after the other
    const searched = await peekBytes(source, SEARCHED_BYTES);
    const at = likelyMessage(searched);
    const isEnd = searched.length < SEARCHED_BYTES;
    const kept = isEnd ? 0 : MESSAGE_HEAD_BYTES;
    dropBytes(source, at < 0 ? Math.max(0, searched.length - kept) : at);
    if (at < 0 && isEnd) return;
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (at >= 0 && (await likelyMessageAt(source, 0)) !== undefined) return;
    if (at >= 0) dropBytes(source, 1);
  }
}

/** Skips zero bytes, except those with which a length may begin. */
export async function skipHole(source: ByteSource): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one part is searched after the other
    const bytes = await peekBytes(source, Math.max(LENGTH_BYTES, source.heldBytes));
    const end = bytes.findIndex((byte) => byte !== 0);
    const zeros = end < 0 ? bytes.length : end;
    dropBytes(source, Math.max(0, zeros - LENGTH_BYTES + 1));
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (end >= 0 || !(await holdChunk(source))) return;
  }
}

/** Returns where a message may begin; -1 for nowhere. */
function likelyMessage(bytes: Uint8Array): number {
  for (let at = 0; at + LENGTH_BYTES < bytes.length; at += 1) {
    if (isLikely(bytes, at)) return at;
  }
  return -1;
}

/** Reports whether a message may begin there. Other bytes rarely pass this check. */
function isLikely(bytes: Uint8Array, at: number): boolean {
  const begin = at + LENGTH_BYTES;
  const isCompressed = compressionOf(bytes.subarray(begin, begin + 4)) === "zstd";
  if (bytes[begin] !== RESOURCE_SPANS_TAG && !isCompressed) return false;
  const length = lengthAt(bytes, at);
  return length <= MAX_REQUEST_BYTES && (isCompressed || fieldBytes(bytes, begin) <= length);
}

/** Returns the size of the field that begins there, with tag and length. */
function fieldBytes(bytes: Uint8Array, at: number): number {
  const width = varintWidth(bytes, at + 1, bytes.length);
  return width === 0 ? Infinity : 1 + width + varintValue(bytes, at + 1, width);
}

/** Returns the message that begins `at` bytes from here, if the bytes really are a message. */
async function likelyMessageAt(source: ByteSource, at: number): Promise<Uint8Array | undefined> {
  if (!isLikely(await peekBytes(source, at + MESSAGE_HEAD_BYTES), at)) return undefined;
  const message = await peekMessage(source, source.limits.requestBytes, at);
  if (typeof message === "string") return undefined;
  const isCompressed = compressionOf(message) === "zstd";
  const isWhole = isCompressed ? areWholeZstdFrames(message) : isRequest(message);
  return isWhole ? message : undefined;
}

function isRequest(message: Uint8Array): boolean {
  return typeof countSpans(message) === "number";
}
