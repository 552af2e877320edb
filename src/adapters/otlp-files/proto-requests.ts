import { RESOURCE_SPANS_TAG } from "../../domain/wire/otlp-tags.ts";
import { type ByteSource, restOf } from "./byte-source.ts";
import { compressionOf, decompressedMessage } from "./decompressed.ts";
import {
  countSpans,
  earliestStartMs,
  type FileFault,
  type FileItem,
  type FileRequest,
  MAX_REQUEST_BYTES,
  type OtherSignal,
} from "./file-request.ts";
import { readJsonRequest } from "./json-requests.ts";
import { faultAt, framedItems } from "./message-frames.ts";
import { fieldsOf, splitRequest } from "./request-split.ts";

/** Encoded requests, each behind its length. */
export function lengthDelimitedRequests(
  source: ByteSource,
  maxBytes = MAX_REQUEST_BYTES,
): AsyncGenerator<FileRequest | FileFault> {
  return framedItems(source, maxBytes, async (message, fileBytes) =>
    requestItem(message, fileBytes),
  );
}

/** The same, of which each may be compressed, and be OTLP/JSON: the collector makes them so. */
export function framedRequests(source: ByteSource): AsyncGenerator<FileItem> {
  return framedItems(source, MAX_REQUEST_BYTES, readMessage);
}

async function readMessage(
  message: Uint8Array,
  fileBytes: number,
): Promise<FileRequest | OtherSignal | string> {
  const compression = compressionOf(message);
  if (compression === undefined) return requestItem(message, fileBytes);
  try {
    const bytes = await decompressedMessage(message, compression, MAX_REQUEST_BYTES);
    if (bytes === "too long") return `longer than ${MAX_REQUEST_BYTES} bytes when decompressed`;
    const isProto = bytes.length === 0 || bytes[0] === RESOURCE_SPANS_TAG;
    return isProto ? requestItem(bytes, fileBytes) : readJsonRequest(bytes, fileBytes);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** One bare request, in pieces: it may be larger than a receiver takes at once. */
export async function* bareRequests(source: ByteSource): AsyncGenerator<FileRequest | FileFault> {
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

/** Yields a piece, or its fields one by one where it is broken: so the others are not lost. */
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

function requestItem(bytes: Uint8Array, fileBytes: number): FileRequest | string {
  const spanCount = countSpans(bytes);
  if (typeof spanCount === "string") return `this is not a trace request: ${spanCount} of it`;
  const contentType = "application/x-protobuf";
  return {
    bytes,
    contentType,
    spanCount,
    earliestStartMs: () => earliestStartMs(bytes),
    fileBytes,
  };
}
