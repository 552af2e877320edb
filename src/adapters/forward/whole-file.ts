import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import type { FileFormat } from "../../domain/text/file-format.ts";
import { LENGTH_BYTES } from "../otlp-files/message-frames.ts";

const LINE_END = 0x0a;

/** Whether a file ends where a frame ends: whoever wrote it may have been killed in between. */
export async function isWholeFile(path: string, format: FileFormat): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    return await (format === "json" ? endsWithLine(file, size) : endsWithMessage(file, size));
  } finally {
    await file.close();
  }
}

async function endsWithLine(file: FileHandle, sizeBytes: number): Promise<boolean> {
  if (sizeBytes === 0) return true;
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, sizeBytes - 1);
  return last[0] === LINE_END;
}

/** From length to length; what is between is not looked at. */
async function endsWithMessage(file: FileHandle, sizeBytes: number): Promise<boolean> {
  const length = Buffer.alloc(LENGTH_BYTES);
  let at = 0;
  while (at + LENGTH_BYTES <= sizeBytes) {
    // oxlint-disable-next-line no-await-in-loop -- where the next length is, this one says
    await file.read(length, 0, LENGTH_BYTES, at);
    at += LENGTH_BYTES + length.readUInt32BE();
  }
  return at === sizeBytes;
}
