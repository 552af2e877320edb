import { type FileItem, faultText } from "../../../src/adapters/otlp-files/file-request.ts";
import { readRequests } from "../../../src/adapters/otlp-files/read-requests.ts";
import { chunksOf } from "./byte-chunks.ts";

/** Returns what a file of these bytes has, read in chunks of one size. */
export async function itemsOf(bytes: Uint8Array, chunkBytes = 1000): Promise<FileItem[]> {
  return await Array.fromAsync(readRequests(chunksOf(bytes, chunkBytes)));
}

/** Returns an item in one line, to be compared. */
export function read(item: FileItem): string {
  if ("fault" in item) return `${faultText(item)} (${item.skippedBytes ?? "?"} B)`;
  if ("otherSignal" in item) return "other signal";
  return `${item.contentType} ${item.spanCount}: ${Buffer.from(item.bytes).toString("base64")}`;
}

/** Returns what `read` says of a request in OTLP/JSON. */
export function json(line: string, spanCount: number): string {
  return `application/json ${spanCount}: ${Buffer.from(line).toString("base64")}`;
}

/** Returns what `read` says of an encoded request. */
export function protobuf(bytes: Uint8Array, spanCount: number): string {
  return `application/x-protobuf ${spanCount}: ${Buffer.from(bytes).toString("base64")}`;
}
