import { Buffer } from "node:buffer";
import type { FileFormat } from "../../domain/text/file-format.ts";
import { otlpJsonChunks } from "../otlp/json/otlp-json.ts";

/** Before each message of a file of protobuf, big endian. */
export const LENGTH_BYTES = 4;

const LINE_END = Buffer.from("\n");

/**
 * One encoded request as it stands in a file of this format. A file is such frames and nothing
 * else, so that files can be appended to, and one to another.
 *
 * Source: opentelemetry-collector-contrib, exporter/fileexporter/file_writer.go.
 */
export function frameRequest(request: Uint8Array, format: FileFormat): Uint8Array {
  if (format === "json") return Buffer.concat([...otlpJsonChunks(request), LINE_END]);
  return lengthDelimited(request);
}

/** The same, with a round of the event loop between two chunks: JSON takes its time. */
export async function frameInSteps(request: Uint8Array, format: FileFormat): Promise<Uint8Array> {
  if (format === "proto") return lengthDelimited(request);
  const chunks: Uint8Array[] = [];
  for (const chunk of otlpJsonChunks(request)) {
    chunks.push(chunk);
    // oxlint-disable-next-line no-await-in-loop -- what waits has its turn before the next chunk
    await new Promise((resolve) => void setImmediate(resolve));
  }
  return Buffer.concat([...chunks, LINE_END]);
}

function lengthDelimited(request: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(LENGTH_BYTES + request.length);
  framed.writeUInt32BE(request.length);
  framed.set(request, LENGTH_BYTES);
  return framed;
}
