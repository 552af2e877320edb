import { cursorText } from "../../../domain/cursor.ts";
import { serviceName } from "../../../domain/wire/resource.ts";
import { writeWhole } from "./json-number-writer.ts";
import type { FieldValue } from "./json-scalar-writer.ts";
import { type Field, SHAPES, type Shape } from "./json-shape.ts";
import { writeString } from "./json-string-writer.ts";
import {
  addJson,
  addText,
  type Chunk,
  createJsonWriter,
  type JsonWriter,
  readFrom,
  takeAll,
  takeChunks,
} from "./json-writer.ts";
import {
  lastOccurrence,
  mergedOccurrences,
  type MessageBytes,
  nextField,
  scanFields,
  valueOf,
} from "./message-parts.ts";
import { isSmall, membersInSteps, messageInSteps, writeIfSmall } from "./otlp-json.ts";
import type { CopiedSpans } from "../../../ports/trace-buffer.ts";

/** The text around the JSON of each span, in ASCII. */
export interface LineFrame {
  readonly before?: (cursor: string) => string;
  readonly after: string;
}

/** The frame of NDJSON, which has one span on each line. */
export const PLAIN_LINE: LineFrame = { after: "\n" };

const { ExportTraceServiceRequest, ResourceSpans, ScopeSpans, Span } = SHAPES;

const RESOURCE_SPANS = fieldNamed(ExportTraceServiceRequest, "resourceSpans");
const SCOPE_SPANS = fieldNamed(ResourceSpans, "scopeSpans");
const SPANS = fieldNamed(ScopeSpans, "spans");
const RESOURCE = contextPlace("resource", ResourceSpans);
const SCOPE = contextPlace("scope", ScopeSpans);

type Chunks = Generator<Chunk, void>;

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
  const { request: bytes, sequences } = spans;
  const writer = createJsonWriter();
  let position = 0;
  for (const resourceSpans of eachOf(RESOURCE_SPANS, { bytes, parts: [0, bytes.length] })) {
    const service = JSON.stringify(serviceOf(resourceSpans));
    const origin = new TextEncoder().encode(`,"run_id":"${runId}","service":${service},`);
    const resource = readContext(RESOURCE, resourceSpans);
    for (const scopeSpans of eachOf(SCOPE_SPANS, resourceSpans)) {
      const contexts = [resource, readContext(SCOPE, scopeSpans)];
      const scan = scanFields(scopeSpans);
      while (nextField(scan)) {
        if (scan.fieldNumber !== SPANS.fieldNumber) continue;
        const sequence = sequences[position]!;
        position += 1;
        if (frame.before !== undefined) addText(writer, frame.before(cursorText(runId, sequence)));
        addText(writer, '{"sequence":');
        writeWhole(writer, sequence);
        addJson(writer, origin);
        if (!writeIfSmall(writer, Span, scan)) yield* membersInSteps(writer, Span, valueOf(scan));
        for (const context of contexts) {
          if (context.json === undefined) yield* contextInSteps(writer, context);
          else addJson(writer, context.json);
        }
        addText(writer, `}${frame.after}`);
        if (writer.chunks.length > 0) yield* takeChunks(writer);
      }
    }
  }
  yield* takeAll(writer);
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

/** Where a resource or a scope is found in the message around its spans. */
interface ContextPlace {
  readonly name: string;
  readonly around: Shape;
  readonly field: Field;
  readonly schema: Field;
}

/** A resource or a scope, with its schema. */
interface Context {
  readonly name: string;
  readonly shape: Shape;
  readonly message: MessageBytes;
  readonly schema: FieldValue;
  /**
   * The members for all spans that share them; those of a large resource or scope are written again
   * each time, in steps.
   */
  readonly json: Uint8Array | undefined;
}

function contextPlace(name: string, around: Shape): ContextPlace {
  return { name, around, field: fieldNamed(around, name), schema: fieldNamed(around, "schemaUrl") };
}

function readContext(place: ContextPlace, spans: MessageBytes): Context {
  const { name, around, field, schema } = place;
  const context = {
    name,
    shape: field.value as Shape,
    message: mergedOccurrences(around, field, spans),
    schema: lastOccurrence(schema, spans),
    json: undefined,
  };
  if (!isSmall(context.message)) return context;
  const writer = createJsonWriter();
  const chunks = [...contextInSteps(writer, context), ...takeAll(writer)];
  return { ...context, json: Buffer.concat(chunks) };
}

/** Writes a resource or a scope as a member after others, and its schema unless it is empty. */
function* contextInSteps(writer: JsonWriter, { name, shape, message, schema }: Context): Chunks {
  addText(writer, `,"${name}":`);
  yield* messageInSteps(writer, shape, message);
  if (schema.valueAt === schema.at) return;
  addText(writer, `,"${name}SchemaUrl":`);
  readFrom(writer, schema.bytes);
  writeString(writer, schema.valueAt, schema.at);
}

function fieldNamed({ fields }: Shape, wanted: string): Field {
  return fields.find(({ name }) => name === wanted)!;
}
