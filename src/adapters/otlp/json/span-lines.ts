import { cursorText } from "../../../domain/cursor.ts";
import { serviceName } from "../../../domain/wire/resource.ts";
import { mergedOccurrences, SCALAR_TEXT, JsonText } from "./json-writer.ts";
import { type MessageBytes, nextField, scanFields, valueOf } from "./message-scan.ts";
import { type Field, SHAPES, type Shape } from "./json-shape.ts";
import { isSmall, spreadInSteps, valueInSteps, writeMessage } from "./otlp-json.ts";
import type { CopiedSpans } from "../../../ports/trace-buffer.ts";

/** What stands around the JSON of each span. */
export interface LineFrame {
  readonly before: (cursor: string) => string;
  readonly after: string;
}

/** NDJSON: one span a line. */
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
 * Each span by itself: its number, the run that numbers it, its service, all that OTLP/JSON says of
 * it, and what it came in, which is written again for every span (`{}` where it came in nothing).
 * The schemas of resource and scope are there where they are known: nothing of OTLP/JSON is lost.
 *
 *     {"sequence":17,"run_id":"..","service":"shop","traceId":"..",...,"resource":{},"scope":{}}
 *
 * Like OTLP/JSON it is written from the bytes, as the reader asks for more: see `otlpJsonChunks`.
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

/** Each message that a repeated field holds. */
function* eachOf({ fieldNumber }: Field, message: MessageBytes): Generator<MessageBytes, void> {
  const scan = scanFields(message);
  while (nextField(scan)) {
    if (scan.fieldNumber === fieldNumber) yield valueOf(scan);
  }
}

function serviceOf({ bytes, parts: [from = 0, end = 0] }: MessageBytes): string {
  return serviceName(bytes, from, end - from);
}

/** A member for the schema of a message, with the comma before it; nothing where none is known. */
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
  /** Kept for the spans that share it; a large one is written anew each time, in steps. */
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
