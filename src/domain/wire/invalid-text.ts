import { type MessageBytes, nextField, scanFrom } from "./field-scan.ts";
import {
  MESSAGES,
  type MessageName,
  RESOURCE_SPANS,
  schemaFields,
  SCOPE_SPANS,
  SPAN,
} from "./otlp-schema.ts";
import { SCOPE_SPANS_FIELD, SPANS_FIELD } from "./otlp-tags.ts";
import { everySpan, type SpanTable } from "./request-spans.ts";

/**
 * Returns 1 for each span that has text that is not UTF-8 in the span, its resource or its scope,
 * and otherwise 0. Strict receivers refuse the whole request of such a span. The walk must have
 * accepted the request.
 */
export function spansWithInvalidText(request: Uint8Array): Uint8Array {
  const table = everySpan({ bytes: request, offset: 0, length: request.length });
  const contexts = Array.from({ length: table.contextCount }, (_, row) =>
    isContextInvalid(request, table, row),
  );
  return Uint8Array.from({ length: table.spanCount }, (_, row) => {
    const [offset, length] = [table.spanOffset[row]!, table.spanLength[row]!];
    const isOutside = contexts[table.spanContext[row]!]!;
    return isOutside || hasInvalidText(SPAN, { bytes: request, offset, length }) ? 1 : 0;
  });
}

function isContextInvalid(bytes: Uint8Array, table: SpanTable, row: number): boolean {
  const [resourceAt, scopeAt] = [table.resourceOffset[row]!, table.scopeOffset[row]!];
  const resource = { bytes, offset: resourceAt, length: table.resourceLength[row]! };
  const scope = { bytes, offset: scopeAt, length: table.scopeLength[row]! };
  return (
    hasInvalidText(RESOURCE_SPANS, resource, SCOPE_SPANS_FIELD) ||
    hasInvalidText(SCOPE_SPANS, scope, SPANS_FIELD)
  );
}

interface TextSchema {
  readonly text: ReadonlySet<number>;
  /** The kind of message that a field holds. */
  readonly messages: ReadonlyMap<number, number>;
}

/** Indexed by the kind of the message. It is built at its first use, so a start builds none. */
let textSchemas: readonly TextSchema[] | undefined;

function textSchemaOf(name: MessageName): TextSchema {
  const fields = schemaFields(name);
  const texts = fields.filter(({ kind }) => kind === "string");
  const messages = fields.flatMap(({ fieldNumber, kind }) => {
    const messageKind = MESSAGES.indexOf(kind as MessageName);
    return messageKind < 0 ? [] : [[fieldNumber, messageKind] as const];
  });
  return {
    text: new Set(texts.map(({ fieldNumber }) => fieldNumber)),
    messages: new Map(messages),
  };
}

/** Reports whether a message has invalid text in any field except `leftOut`. */
function hasInvalidText(kind: number, message: MessageBytes, leftOut = 0): boolean {
  const { bytes, offset, length } = message;
  textSchemas ??= MESSAGES.map(textSchemaOf);
  const { text, messages } = textSchemas[kind]!;
  const scan = scanFrom(bytes, offset, offset + length);
  while (nextField(scan)) {
    const { fieldNumber, valueAt, at } = scan;
    if (fieldNumber === leftOut) continue;
    const inner = messages.get(fieldNumber);
    const value = { bytes, offset: valueAt, length: at - valueAt };
    if (inner !== undefined && hasInvalidText(inner, value)) return true;
    if (text.has(fieldNumber) && !isUtf8(bytes.subarray(valueAt, at))) return true;
  }
  return false;
}

const STRICT = new TextDecoder("utf-8", { fatal: true });

function isUtf8(text: Uint8Array): boolean {
  if (text.every((byte) => byte < 0x80)) return true;
  try {
    STRICT.decode(text);
    return true;
  } catch {
    return false;
  }
}
