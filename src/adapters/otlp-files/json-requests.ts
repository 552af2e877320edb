import { Buffer } from "node:buffer";
import { quotePeerText } from "../../domain/quote-text.ts";
import { type ByteSource, takeLine } from "./byte-source.ts";
import { type FileItem, MOST_REQUEST_BYTES, NANOS_PER_MS } from "./file-request.ts";

const LINE_END = Buffer.from("\n");

/**
 * OTLP/JSON: a request on each line, or one document over many lines. A request is parsed to see
 * that it is whole and to count its spans; what is sent is what was there.
 *
 * Source: OpenTelemetry Protocol File Exporter, "JSON lines file".
 */
export async function* jsonRequests(source: ByteSource): AsyncGenerator<FileItem> {
  let isFirst = true;
  for (;;) {
    const { offsetBytes, lineNumber } = source;
    // oxlint-disable-next-line no-await-in-loop -- a line comes after the one before it
    const line = await takeLine(source, MOST_REQUEST_BYTES);
    if (line === undefined) return;
    if (line === "too long") {
      yield { fault: `line ${lineNumber}: longer than ${MOST_REQUEST_BYTES} bytes` };
      return;
    }
    if (isBlank(line)) continue;
    const read = readRequest(line);
    const isDocument = isFirst && typeof read === "string";
    // oxlint-disable-next-line no-await-in-loop -- the document is the rest of the file
    const item = isDocument ? await readDocument(source, line) : read;
    isFirst = false;
    if (typeof item === "string") {
      yield { fault: `line ${lineNumber}: ${item}` };
      return;
    }
    yield { ...item, fileBytes: source.offsetBytes - offsetBytes };
  }
}

/** The first line is no request, but all lines together may be. */
async function readDocument(source: ByteSource, first: Uint8Array) {
  const lines = [first];
  let lengthBytes = first.length;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a line comes after the one before it
    const line = await takeLine(source, MOST_REQUEST_BYTES);
    if (line === undefined) return readRequest(Buffer.concat(lines));
    lengthBytes += line.length;
    if (line === "too long" || lengthBytes > MOST_REQUEST_BYTES) return readRequest(first);
    lines.push(LINE_END, line);
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.length < 8 && Buffer.from(line).toString().trim() === "";
}

/** Or what is wrong with it. */
function readRequest(bytes: Uint8Array) {
  const request = parseJson(bytes);
  if (typeof request === "string") return request;
  if ("resourceMetrics" in request || "resourceLogs" in request) {
    return { otherSignal: true } as const;
  }
  if (Object.keys(request).length > 0 && !("resourceSpans" in request)) {
    return "this is JSON, but no traces: it has no resourceSpans";
  }
  const starts = startsMs(request);
  const earliest = starts.reduce((least, start) => (start < least ? start : least), Infinity);
  const earliestStartMs = () => (earliest === Infinity ? undefined : earliest);
  const contentType = "application/json" as const;
  return { bytes, contentType, spanCount: starts.length, earliestStartMs };
}

function parseJson(bytes: Uint8Array): object | string {
  try {
    // A byte order mark is no JSON for a receiver either, but TextDecoder takes it off here.
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? value : "this is not a JSON object";
  } catch (error) {
    const reason = error instanceof Error ? quotePeerText(error.message) : "";
    return `this is not whole JSON: ${reason.replace(/^JSON Parse error: /, "")}`;
  }
}

/** Of every span its start, in Unix milliseconds; Infinity for one that does not say. */
function startsMs(request: object): number[] {
  return listIn(request, "resourceSpans")
    .flatMap((resourceSpans) => listIn(resourceSpans, "scopeSpans"))
    .flatMap((scopeSpans) => listIn(scopeSpans, "spans"))
    .map((span) => {
      const start = "startTimeUnixNano" in span ? Number(span.startTimeUnixNano) : 0;
      return start > 0 ? start / NANOS_PER_MS : Infinity;
    });
}

export function listIn(parent: object, name: string): object[] {
  const list: unknown = name in parent ? (parent as Record<string, unknown>)[name] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter((item): item is object => typeof item === "object" && item !== null);
}
