import { Buffer } from "node:buffer";
import { NANOS_PER_MS_NUMBER } from "../../domain/time.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { ByteSource } from "./byte-source.ts";
import type { FileItem, FileRequest, OtherSignal } from "./file-request.ts";
import { type JsonDocument, jsonDocuments } from "./json-documents.ts";
import { PIECE_BYTES } from "./request-split.ts";

/**
 * OTLP/JSON: requests, or spans by themselves, of which as many as come together make a request. A
 * request is parsed to see that it is one and to count its spans; what is sent is what was there.
 *
 * Source: OpenTelemetry Protocol File Exporter, "JSON lines file".
 */
export async function* jsonRequests(source: ByteSource): AsyncGenerator<FileItem> {
  let lines: JsonDocument[] = [];
  let lineBytes = 0;
  for await (const document of jsonDocuments(source)) {
    const item = "fault" in document ? document : readDocument(document);
    if ("spanLine" in item) {
      lines.push(item.spanLine);
      lineBytes += item.spanLine.bytes.length;
    }
    // In a pipe, the next ones may be long in coming.
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

function readDocument(document: JsonDocument): FileItem | { readonly spanLine: JsonDocument } {
  const { bytes, firstLine: first, lastLine: last, fileBytes } = document;
  const value = parseDocument(bytes);
  if (typeof value === "string") {
    return { fault: value, unit: "line", first, last, skippedBytes: bytes.length };
  }
  return isSpanLine(value) ? { spanLine: document } : requestItem(value, bytes, fileBytes);
}

/** Returns the one request, of traces or of another signal, or what is wrong with it. */
export function readJsonRequest(
  bytes: Uint8Array,
  fileBytes: number,
): FileRequest | OtherSignal | string {
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

/** Returns an object that may be sent, or what is wrong with it. */
function parseDocument(bytes: Uint8Array): object | string {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== "object" || value === null) return "this is not a JSON object";
    return isOfUse(value) ? value : "this is JSON, but no traces: it has no resourceSpans";
  } catch (error) {
    const reason = error instanceof Error ? quotePeerText(error.message) : "";
    return `this is not whole JSON: ${reason.replace(/^JSON Parse error: /, "")}`;
  }
}

/** An object without members is a request without spans. */
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
  const earliest = starts.reduce((least, start) => (start < least ? start : least), Infinity);
  const earliestStartMs = () => (earliest === Infinity ? undefined : earliest);
  const contentType = "application/json" as const;
  return { bytes, contentType, spanCount: starts.length, earliestStartMs, fileBytes };
}

/** Of every span its start, in Unix milliseconds; Infinity for one that does not say. */
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
 * A span by itself, as `spanring get`, `take`, `tail` and `wait` print it in a pipe: its own
 * members, what it came in, and the number, the run and the service that spanring adds.
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

/** Makes one request in OTLP/JSON of spans: those of one resource and one scope come together. */
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

/** TypeScript does not know of it yet. Source: ECMAScript proposal "JSON.parse source text". */
declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** Parses JSON so that `JSON.stringify` writes it again with the numbers that are in it. */
export function parseExactly(text: string): object {
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) as object;
}

/** A number that a double would change is kept as its digits. */
function keepDigits(_: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === "number" && String(value) !== source ? JSON.rawJSON(source!) : value;
}
