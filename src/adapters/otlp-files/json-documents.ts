import { Buffer } from "node:buffer";
import { type ByteSource, dropBytes, holdChunk, peekBytes } from "./byte-source.ts";
import type { FileFault } from "./file-request.ts";
import { createJsonScan, isJsonSpace, scanJson } from "./json-scan.ts";

/** A JSON object of a file, which the parser may still find invalid. */
export interface JsonDocument {
  readonly bytes: Uint8Array;
  readonly firstLine: number;
  readonly lastLine: number;
  /** Bytes of the file, with the white space around it. */
  readonly fileBytes: number;
}

interface LineSource {
  readonly source: ByteSource;
  /** The line of the next byte, from 1. */
  line: number;
}

/**
 * Yields the JSON objects of a file, each on one or more lines. After a broken one, the next begins
 * at the next line, or at an earlier `{"resourceSpans"` and the like: the writer may have been
 * killed and may have continued on the same line.
 */
export async function* jsonDocuments(
  source: ByteSource,
  maxBytes = source.limits.requestBytes,
): AsyncGenerator<JsonDocument | FileFault> {
  const lines: LineSource = { source, line: 1 };
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a document comes after the one before it
    const document = await takeDocument(lines, maxBytes);
    if (document === undefined) return;
    yield document;
  }
}

async function takeDocument(
  lines: LineSource,
  maxBytes: number,
): Promise<JsonDocument | FileFault | undefined> {
  const { source } = lines;
  const { offsetBytes } = source;
  if (!(await dropSpace(lines))) return undefined;
  const [firstLine, firstOffset] = [lines.line, source.offsetBytes];
  const length = await documentLength(source, maxBytes);
  if (typeof length === "string") {
    await skipBroken(lines);
    const skippedBytes = source.offsetBytes - firstOffset;
    return { fault: length, unit: "line", first: firstLine, last: firstLine, skippedBytes };
  }
  const bytes = await peekBytes(source, length);
  dropText(lines, bytes);
  const lastLine = lines.line;
  dropHeldSpace(lines);
  return { bytes, firstLine, lastLine, fileBytes: source.offsetBytes - offsetBytes };
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Skips white space and byte order marks, which also occur where files were concatenated. */
async function dropSpace(lines: LineSource): Promise<boolean> {
  const { source } = lines;
  for (;;) {
    dropHeldSpace(lines);
    // oxlint-disable-next-line no-await-in-loop -- a byte comes after the one before it
    if (source.heldBytes === 0 && !(await holdChunk(source))) return false;
    const byte = source.held[0]![0]!;
    if (isJsonSpace(byte)) continue;
    if (byte !== BYTE_ORDER_MARK[0]) return true;
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (!BYTE_ORDER_MARK.equals(await peekBytes(source, BYTE_ORDER_MARK.length))) return true;
    dropBytes(source, BYTE_ORDER_MARK.length);
  }
}

/** Skips held space without waiting for more, which in a pipe would delay the document. */
function dropHeldSpace(lines: LineSource): void {
  for (let [chunk] = lines.source.held; chunk !== undefined; [chunk] = lines.source.held) {
    const end = chunk.findIndex((byte) => !isJsonSpace(byte));
    dropText(lines, end < 0 ? chunk : chunk.subarray(0, end));
    if (end >= 0) return;
  }
}

/** Takes the next bytes, and counts their lines. */
function dropText(lines: LineSource, bytes: Uint8Array): void {
  lines.line += lineEndsIn(bytes);
  dropBytes(lines.source, bytes.length);
}

const LINE_END = 0x0a;

function lineEndsIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) count += 1;
  return count;
}

const OPEN_BRACE = 0x7b;
const NUL = 0x00;

/** Returns the length of the document that begins here, or the reason if it is invalid. */
async function documentLength(source: ByteSource, maxBytes: number): Promise<number | string> {
  const first = source.held[0]![0];
  if (first === NUL) return "NUL bytes, probably left by a crash";
  if (first !== OPEN_BRACE) return 'this is not OTLP/JSON: a request begins with "{"';
  const scan = createJsonScan();
  let scannedBytes = 0;
  for (let index = 0; scannedBytes < maxBytes; index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
    if (index === source.held.length && !(await holdChunk(source))) {
      return "incomplete or invalid JSON: the file ends inside it";
    }
    const chunk = source.held[index]!;
    const end = scanJson(scan, chunk);
    if (scan.fault !== "") return `incomplete or invalid JSON: ${scan.fault}`;
    if (end >= 0 && scannedBytes + end <= maxBytes) return scannedBytes + end;
    scannedBytes += chunk.length;
  }
  return `longer than ${maxBytes} bytes`;
}

/** Beginnings of documents in our files, the Collector's and those of SDKs. */
const BEGINNINGS = ["resourceSpans", "resourceMetrics", "resourceLogs", "sequence"].map((name) =>
  Buffer.from(`{"${name}"`),
);
const LONGEST_BEGINNING = Math.max(...BEGINNINGS.map(({ length }) => length));

/** Skips a broken document up to the next line or document, with little of it in memory. */
async function skipBroken(lines: LineSource): Promise<void> {
  const { source } = lines;
  const isHole = source.held[0]![0] === NUL;
  if (!isHole) dropText(lines, source.held[0]!.subarray(0, 1));
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a chunk comes after the one before it
    const bytes = await peekBytes(source, source.heldBytes);
    const end = isHole ? bytes.findIndex((byte) => byte !== NUL) : nextBeginning(bytes);
    const skipped = end < 0 ? Math.max(0, bytes.length - LONGEST_BEGINNING) : end;
    dropText(lines, bytes.subarray(0, skipped));
    if (end >= 0) return;
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (!(await holdChunk(source))) return dropText(lines, bytes.subarray(skipped));
  }
}

/** Returns the index of the next document in this line, else of the next line; -1 for neither. */
function nextBeginning(bytes: Uint8Array): number {
  const lineEnd = bytes.indexOf(LINE_END);
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, lineEnd < 0 ? bytes.length : lineEnd);
  const found = BEGINNINGS.map((beginning) => line.indexOf(beginning)).filter((at) => at >= 0);
  if (found.length > 0) return Math.min(...found);
  return lineEnd < 0 ? -1 : lineEnd + 1;
}
