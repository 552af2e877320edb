import { type ByteSource, takeBytes } from "./byte-source.ts";
import { countSpans, earliestStartMs } from "./encoded-request.ts";
import { type FileFault, type FileRequest, MOST_REQUEST_BYTES } from "./file-request.ts";
import { LENGTH_BYTES } from "./request-frame.ts";
import { splitRequest } from "./request-split.ts";

/**
 * The collector's file exporter, with `format: proto`: each message behind its length.
 *
 *     [ length: 4 bytes, big endian ][ ExportTraceServiceRequest ][ length ][ ...
 *
 * Source: opentelemetry-collector-contrib, exporter/fileexporter/file_writer.go.
 */
export async function* lengthDelimitedRequests(
  source: ByteSource,
  mostBytes = MOST_REQUEST_BYTES,
): AsyncGenerator<FileRequest | FileFault> {
  for (;;) {
    const { offsetBytes } = source;
    // oxlint-disable-next-line no-await-in-loop -- a message comes after the one before it
    const message = await takeMessage(source, mostBytes);
    if (message === undefined) return;
    const item = "fault" in message ? message : requestItem(message, offsetBytes + LENGTH_BYTES);
    yield "fault" in item ? item : { ...item, fileBytes: item.fileBytes + LENGTH_BYTES };
    if ("fault" in item) return;
  }
}

/** Undefined at the end. */
async function takeMessage(
  source: ByteSource,
  mostBytes: number,
): Promise<Uint8Array | FileFault | undefined> {
  const { offsetBytes } = source;
  const place = `byte ${offsetBytes}`;
  const head = await takeBytes(source, LENGTH_BYTES);
  if (head.length === 0) return undefined;
  if (head.length < LENGTH_BYTES) return { fault: `${place}: cut off within a length` };
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
  if (length > mostBytes) {
    return { fault: `${place}: a request of ${length} bytes; at most ${mostBytes} can be` };
  }
  const message = await takeBytes(source, length);
  if (message.length === length) return message;
  const has = `has ${message.length} of its ${length} bytes`;
  return { fault: `${place}: cut off: the request that begins there ${has}` };
}

/** One bare request, in pieces: it may be larger than a receiver takes at once. */
export async function* bareRequests(source: ByteSource): AsyncGenerator<FileRequest | FileFault> {
  let offsetBytes = 0;
  for await (const piece of splitRequest(source)) {
    const item = "fault" in piece ? piece : requestItem(piece, offsetBytes);
    yield item;
    if ("fault" in item) return;
    offsetBytes += item.fileBytes;
  }
}

function requestItem(bytes: Uint8Array, offsetBytes: number): FileRequest | FileFault {
  const spanCount = countSpans(bytes);
  if (typeof spanCount === "string") {
    return { fault: `byte ${offsetBytes}: this is not a trace request: ${spanCount} of it` };
  }
  return {
    bytes,
    contentType: "application/x-protobuf",
    spanCount,
    earliestStartMs: () => earliestStartMs(bytes),
    fileBytes: bytes.length,
  };
}
