import { Buffer } from "node:buffer";
import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { ByteSource } from "./byte-source.ts";
import type { FileItem, FileRequest, OtherSignal } from "./file-request.ts";
import { type JsonDocument, jsonDocuments } from "./json-documents.ts";
import { PIECE_BYTES } from "./request-split.ts";

/**
 * Yields requests from OTLP/JSON, or from lines of single spans, which are grouped into requests. A
 * request is parsed to validate it and to count its spans; its bytes stay unchanged.
 *
 * Source: OpenTelemetry Protocol File Exporter, "JSON lines file".
 */
export async function* jsonRequests(source: ByteSource): AsyncGenerator<FileItem> {
  let lines: JsonDocument[] = [];
  let lineBytes = 0;
  for await (const document of jsonDocuments(source)) {
    const item = "fault" in document ? document : readDocument(document, source);
    if ("spanLine" in item) {
      lines.push(item.spanLine);
      lineBytes += item.spanLine.bytes.length;
    }
    // In a pipe, the next lines may take long to arrive.
    const isEnough = lineBytes >= PIECE_BYTES || source.heldBytes === 0;
    if (lines.length > 0 && (isEnough || !("spanLine" in item))) {
      yield requestOf(lines);
      lines = [];
      lineBytes = 0;
    }
    if (!("spanLine" in item)) yield item;
  }
  if (lines.length > 0) yield requestOf(lines);
}

function readDocument(
  document: JsonDocument,
  { limits }: ByteSource,
): FileItem | { readonly spanLine: JsonDocument } {
  const { bytes, firstLine: first, lastLine: last, fileBytes } = document;
  const isShort = bytes.length <= limits.parsedBytes;
  const value = isShort ? parseDocument(bytes) : longItem(bytes, fileBytes);
  if (typeof value === "string") {
    return { fault: value, unit: "line", first, last, skippedBytes: bytes.length };
  }
  if ("fileBytes" in value) return value as FileRequest | OtherSignal;
  return isSpanLine(value) ? { spanLine: document } : requestItem(value, bytes, fileBytes);
}

const FIRST_KEY_BYTES = 256;

/** Returns a request that is not parsed, if its first key shows that it is one. */
function longItem(bytes: Uint8Array, fileBytes: number): FileRequest | OtherSignal | string {
  const head = new TextDecoder().decode(bytes.subarray(0, FIRST_KEY_BYTES));
  const [, key] = /^\s*\{\s*"(\w+)"/.exec(head) ?? [];
  if (key === "resourceMetrics" || key === "resourceLogs") return { otherSignal: true, fileBytes };
  if (key !== "resourceSpans") {
    return `${bytes.length} bytes that do not begin with resourceSpans, so not traces`;
  }
  const contentType = "application/json";
  return { bytes, contentType, spanCount: 0, earliestStartMs: () => undefined, fileBytes };
}

/** Reads a request of traces or of another signal. Returns the reason if it is invalid. */
export function readJsonRequest(
  bytes: Uint8Array,
  fileBytes: number,
  parsedBytes = Infinity,
): FileRequest | OtherSignal | string {
  if (bytes.length > parsedBytes) return longItem(bytes, fileBytes);
  const value = parseDocument(bytes);
  if (typeof value === "string") return value;
  return isSpanLine(value)
    ? requestOf([{ bytes, fileBytes }])
    : requestItem(value, bytes, fileBytes);
}

function requestOf(lines: readonly Pick<JsonDocument, "bytes" | "fileBytes">[]): FileRequest {
  const bytes = requestOfSpanLines(lines.map((line) => line.bytes));
  const fileBytes = lines.reduce((sum, line) => sum + line.fileBytes, 0);
  return traceItem(JSON.parse(bytes.toString()) as object, bytes, fileBytes);
}

/** Parses an object that can be sent. Returns the reason if it is invalid. */
function parseDocument(bytes: Uint8Array): object | string {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== "object" || value === null) return "not a JSON object";
    return isOfUse(value) ? value : "JSON without resourceSpans, so not traces";
  } catch (error) {
    const reason = error instanceof Error ? quotePeerText(error.message) : "";
    return `incomplete or invalid JSON: ${reason.replace(/^JSON Parse error: /, "")}`;
  }
}

/** Reports whether an object has requests. An empty object is a request without spans. */
function isOfUse(value: object): boolean {
  const isKnown = "resourceSpans" in value || isOtherSignal(value) || isSpanLine(value);
  return isKnown || Object.keys(value).length === 0;
}

function isOtherSignal(value: object): boolean {
  const isOther = "resourceMetrics" in value || "resourceLogs" in value;
  return isOther && !("resourceSpans" in value);
}

function requestItem(
  value: object,
  bytes: Uint8Array,
  fileBytes: number,
): FileRequest | OtherSignal {
  if (isOtherSignal(value)) return { otherSignal: true, fileBytes };
  return traceItem(value, bytes, fileBytes);
}

function traceItem(value: object, bytes: Uint8Array, fileBytes: number): FileRequest {
  const starts = startsMs(value);
  const earliest = starts.reduce((min, start) => (start < min ? start : min), Infinity);
  const earliestStartMs = () => (earliest === Infinity ? undefined : earliest);
  const contentType = "application/json" as const;
  return { bytes, contentType, spanCount: starts.length, earliestStartMs, fileBytes };
}

/** Returns the start of every span in Unix milliseconds; Infinity for a span without one. */
function startsMs(request: object): number[] {
  return listIn(request, "resourceSpans")
    .flatMap((resourceSpans) => listIn(resourceSpans, "scopeSpans"))
    .flatMap((scopeSpans) => listIn(scopeSpans, "spans"))
    .map((span) => {
      const start = "startTimeUnixNano" in span ? Number(span.startTimeUnixNano) : 0;
      return start > 0 ? start / NANOS_PER_MS_NUMBER : Infinity;
    });
}

export function listIn(parent: object, name: string): object[] {
  const list: unknown = name in parent ? (parent as Record<string, unknown>)[name] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter((item): item is object => typeof item === "object" && item !== null);
}

/**
 * A single span, as `spanring get`, `take`, `tail` and `wait` print it in a pipe: its members, its
 * resource and scope, and the sequence, run and service that spanring adds.
 */
interface SpanLine {
  readonly resource: object;
  readonly resourceSchemaUrl?: unknown;
  readonly scope: object;
  readonly scopeSchemaUrl?: unknown;
}

const ADDED_MEMBERS: ReadonlySet<string> = new Set([
  "sequence",
  "run_id",
  "service",
  "resource",
  "resourceSchemaUrl",
  "scope",
  "scopeSchemaUrl",
]);

/** Reports whether a document is such a span; a span of OTLP/JSON has no resource of its own. */
function isSpanLine(document: object): document is SpanLine {
  return ["traceId", "spanId", "resource", "scope"].every((name) => name in document);
}

/** Makes a request in OTLP/JSON from spans, grouped by resource and scope. */
function requestOfSpanLines(lines: readonly Uint8Array[]): Buffer {
  const spans = lines.map((line) => parseExactly(new TextDecoder().decode(line)) as SpanLine);
  const byResource = Map.groupBy(spans, (span) => textOf(span.resource, span.resourceSchemaUrl));
  const resourceSpans = Array.from(byResource.values(), (ofResource) => {
    const byScope = Map.groupBy(ofResource, (span) => textOf(span.scope, span.scopeSchemaUrl));
    const scopeSpans = Array.from(byScope.values(), (ofScope) => {
      const [{ scope, scopeSchemaUrl: schemaUrl }] = ofScope as [SpanLine];
      return { scope, spans: ofScope.map(ownMembers), schemaUrl };
    });
    const [{ resource, resourceSchemaUrl: schemaUrl }] = ofResource as [SpanLine];
    return { resource, scopeSpans, schemaUrl };
  });
  return Buffer.from(JSON.stringify({ resourceSpans }));
}

function textOf(...context: unknown[]): string {
  return JSON.stringify(context);
}

function ownMembers(line: SpanLine): object {
  return Object.fromEntries(Object.entries(line).filter(([name]) => !ADDED_MEMBERS.has(name)));
}

/** Declares what TypeScript lacks. Source: ECMAScript proposal "JSON.parse source text access". */
declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** Parses JSON so that `JSON.stringify` writes its numbers unchanged. */
export function parseExactly(text: string): object {
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) as object;
}

/** Keeps the digits of a number that a double would change. */
function keepDigits(_: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === "number" && String(value) !== source ? JSON.rawJSON(source!) : value;
}
