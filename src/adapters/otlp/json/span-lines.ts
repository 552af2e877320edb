import { cursorText } from "../../../domain/cursor.ts";
import { serviceName } from "../../../domain/wire/resource.ts";
import {
  mergedOccurrences,
  SCALAR_TEXT,
  JsonText,
  type MessageBytes,
  nextField,
  scanFields,
  valueOf,
} from "./json-writer.ts";
import { type Field, SHAPES, type Shape } from "./json-shape.ts";
import { isSmall, spreadInSteps, valueInSteps, writeMessage } from "./otlp-json.ts";
import type { CopiedSpans } from "../../../ports/trace-buffer.ts";

/** The text around the JSON of each span. */
export interface LineFrame {
  readonly before: (cursor: string) => string;
  readonly after: string;
}

/** The frame of NDJSON, which has one span on each line. */
export const PLAIN_LINE: LineFrame = { before: () => "", after: "\n" };

const { ExportTraceServiceRequest, ResourceSpans, Resource, ScopeSpans, Span } = SHAPES;
const { InstrumentationScope } = SHAPES;

const RESOURCE_SPANS = fieldNamed(ExportTraceServiceRequest, "resourceSpans");
const RESOURCE = fieldNamed(ResourceSpans, "resource");
const SCOPE_SPANS = fieldNamed(ResourceSpans, "scopeSpans");
const SCOPE = fieldNamed(ScopeSpans, "scope");
const SPANS = fieldNamed(ScopeSpans, "spans");
const RESOURCE_SCHEMA = fieldNamed(ResourceSpans, "schemaUrl");
const SCOPE_SCHEMA = fieldNamed(ScopeSpans, "schemaUrl");

type Chunks = Generator<Uint8Array<ArrayBuffer>, void>;

/**
 * Yields each span separately: its sequence, its run, its service, all fields of OTLP/JSON, and its
 * resource and scope, which are repeated for every span (`{}` if absent). The schemas of resource
 * and scope are included if known, so nothing of OTLP/JSON is lost.
 *
 *     {"sequence":17,"run_id":"..","service":"shop","traceId":"..",...,"resource":{},"scope":{}}
 *
 * Like OTLP/JSON, it is written from the bytes on demand: see `otlpJsonChunks`.
 */
export function* spanLineChunks(
  spans: CopiedSpans,
  runId: string,
  frame: LineFrame = PLAIN_LINE,
): Chunks {
  const { request, sequences } = spans;
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
  const out = new JsonText();
  let position = 0;
  for (const resourceSpans of eachOf(RESOURCE_SPANS, { bytes, parts: [0, bytes.length] })) {
    const service = JSON.stringify(serviceOf(resourceSpans));
    const resource = readContext(
      Resource,
      mergedOccurrences(ResourceSpans, RESOURCE, resourceSpans),
    );
    const resourceSchema = schemaMember("resourceSchemaUrl", RESOURCE_SCHEMA, resourceSpans);
    for (const scopeSpans of eachOf(SCOPE_SPANS, resourceSpans)) {
      const scope = readContext(
        InstrumentationScope,
        mergedOccurrences(ScopeSpans, SCOPE, scopeSpans),
      );
      const scopeSchema = schemaMember("scopeSchemaUrl", SCOPE_SCHEMA, scopeSpans);
      for (const span of eachOf(SPANS, scopeSpans)) {
        const sequence = sequences[position]!;
        position += 1;
        out.add(frame.before(cursorText(runId, sequence)));
        out.add(`{"sequence":${sequence},"run_id":"${runId}","service":${service},`);
        yield* spreadInSteps(out, Span, span);
        out.add(',"resource":');
        yield* contextInSteps(out, resource);
        out.add(`${resourceSchema},"scope":`);
        yield* contextInSteps(out, scope);
        out.add(`${scopeSchema}}${frame.after}`);
      }
    }
  }
  out.endChunk();
  yield* out.takeChunks();
}

/** Yields the messages of a repeated field. */
function* eachOf({ fieldNumber }: Field, message: MessageBytes): Generator<MessageBytes, void> {
  const scan = scanFields(message);
  while (nextField(scan)) {
    if (scan.fieldNumber === fieldNumber) yield valueOf(scan);
  }
}

function serviceOf({ bytes, parts: [from = 0, end = 0] }: MessageBytes): string {
  return serviceName(bytes, from, end - from);
}

/** Returns a member for the schema of a message, after a comma; empty without a schema. */
function schemaMember(name: string, { fieldNumber }: Field, message: MessageBytes): string {
  const scan = scanFields(message);
  let text = '""';
  while (nextField(scan)) {
    if (scan.fieldNumber !== fieldNumber) continue;
    text = SCALAR_TEXT.string(message.bytes, scan.valueAt, scan.at);
  }
  return text === '""' ? "" : `,"${name}":${text}`;
}

/** A resource or a scope. */
interface Context {
  readonly shape: Shape;
  readonly message: MessageBytes;
  /**
   * The text of a resource or scope for all spans that share it; a large one is written again each
   * time, in steps.
   */
  readonly text: string | undefined;
}

function readContext(shape: Shape, message: MessageBytes): Context {
  if (!isSmall(message)) return { shape, message, text: undefined };
  const out = new JsonText();
  writeMessage(out, shape, message);
  out.endChunk();
  return { shape, message, text: Buffer.concat(out.takeChunks()).toString() };
}

function* contextInSteps(out: JsonText, { shape, message, text }: Context): Chunks {
  if (text === undefined) yield* valueInSteps(out, shape, message);
  else out.add(text);
}

function fieldNamed({ fields }: Shape, wanted: string): Field {
  return fields.find(({ name }) => name === wanted)!;
}
