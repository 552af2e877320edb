/**
 * The OTLP schema: all messages of a trace request in one table. The other tables in this file, the
 * tags in `otlp-tags.ts` and the shapes of OTLP/JSON derive from it.
 * `test/domain/wire/otlp-schema.test.ts` compares it with the definitions in `proto/`.
 */

/**
 * The kinds of a varint. `profiles_only` fields have a meaning only in profiles, and read as
 * absent.
 */
type VarintKind = "bool" | "enum" | "uint32" | "int64" | "profiles_only";
type FixedKind = "double" | "fixed64" | "fixed32";
type IdKind = "trace_id" | "span_id" | "parent_span_id" | "link_trace_id" | "link_span_id";
type ScalarKind = VarintKind | FixedKind | IdKind | "string" | "bytes";

/** The kind of a field: a scalar, or a message by name; repeated fields end in `[]`. */
type FieldKind =
  | ScalarKind
  | "string[]"
  | "Resource"
  | "InstrumentationScope"
  | "Status"
  | "AnyValue"
  | "ArrayValue"
  | "KeyValueList"
  | `${RepeatedMessage}[]`;
type RepeatedMessage =
  | "ResourceSpans"
  | "ScopeSpans"
  | "Span"
  | "Link"
  | "Event"
  | "EntityRef"
  | "KeyValue"
  | "AnyValue";

/** The number and kind of each field, by message and by field name (as in JSON). */
export const OTLP = {
  ExportTraceServiceRequest: { resourceSpans: [1, "ResourceSpans[]"] },
  ResourceSpans: {
    resource: [1, "Resource"],
    scopeSpans: [2, "ScopeSpans[]"],
    schemaUrl: [3, "string"],
  },
  ScopeSpans: {
    scope: [1, "InstrumentationScope"],
    spans: [2, "Span[]"],
    schemaUrl: [3, "string"],
  },
  Span: {
    traceId: [1, "trace_id"],
    spanId: [2, "span_id"],
    traceState: [3, "string"],
    parentSpanId: [4, "parent_span_id"],
    name: [5, "string"],
    kind: [6, "enum"],
    startTimeUnixNano: [7, "fixed64"],
    endTimeUnixNano: [8, "fixed64"],
    attributes: [9, "KeyValue[]"],
    droppedAttributesCount: [10, "uint32"],
    events: [11, "Event[]"],
    droppedEventsCount: [12, "uint32"],
    links: [13, "Link[]"],
    droppedLinksCount: [14, "uint32"],
    status: [15, "Status"],
    flags: [16, "fixed32"],
  },
  Link: {
    traceId: [1, "link_trace_id"],
    spanId: [2, "link_span_id"],
    traceState: [3, "string"],
    attributes: [4, "KeyValue[]"],
    droppedAttributesCount: [5, "uint32"],
    flags: [6, "fixed32"],
  },
  Event: {
    timeUnixNano: [1, "fixed64"],
    name: [2, "string"],
    attributes: [3, "KeyValue[]"],
    droppedAttributesCount: [4, "uint32"],
  },
  Status: { message: [2, "string"], code: [3, "enum"] },
  Resource: {
    attributes: [1, "KeyValue[]"],
    droppedAttributesCount: [2, "uint32"],
    entityRefs: [3, "EntityRef[]"],
  },
  EntityRef: {
    schemaUrl: [1, "string"],
    type: [2, "string"],
    idKeys: [3, "string[]"],
    descriptionKeys: [4, "string[]"],
  },
  InstrumentationScope: {
    name: [1, "string"],
    version: [2, "string"],
    attributes: [3, "KeyValue[]"],
    droppedAttributesCount: [4, "uint32"],
  },
  KeyValue: { key: [1, "string"], value: [2, "AnyValue"], keyStrindex: [3, "profiles_only"] },
  /** The only message whose fields are a oneof. */
  AnyValue: {
    stringValue: [1, "string"],
    boolValue: [2, "bool"],
    intValue: [3, "int64"],
    doubleValue: [4, "double"],
    arrayValue: [5, "ArrayValue"],
    kvlistValue: [6, "KeyValueList"],
    bytesValue: [7, "bytes"],
    stringValueStrindex: [8, "profiles_only"],
  },
  ArrayValue: { values: [1, "AnyValue[]"] },
  KeyValueList: { values: [1, "KeyValue[]"] },
} as const satisfies Readonly<
  Record<string, Readonly<Record<string, readonly [fieldNumber: number, kind: FieldKind]>>>
>;

export type MessageName = keyof typeof OTLP;

/** The names in table order, which is the order of the kinds below. */
export const MESSAGES = Object.keys(OTLP) as readonly MessageName[];

export interface SchemaField {
  readonly name: string;
  readonly fieldNumber: number;
  readonly kind: ScalarKind | MessageName;
  readonly isRepeated: boolean;
}

/** Returns the fields of a message, in the order of their numbers. */
export function schemaFields(message: MessageName): readonly SchemaField[] {
  return Object.entries(OTLP[message]).map(([name, [fieldNumber, kind]]) => ({
    name,
    fieldNumber,
    kind: kind.replace("[]", "") as SchemaField["kind"],
    isRepeated: kind.endsWith("[]"),
  }));
}

/**
 * For kinds up to `LINK`, the walk has work to do when a message starts or ends; see
 * `walked-request`.
 */
export const REQUEST = 0;
export const RESOURCE_SPANS = 1;
export const SCOPE_SPANS = 2;
export const SPAN = 3;
export const LINK = 4;
export const EVENT = 5;

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/** The actions of the walk on a field. From `BYTES` on, a field has a length. */
export const BAD_TAG = 0;
export const WRONG_WIRE_TYPE = 1;
export const VARINT = 2;
export const FIXED64 = 3;
export const FIXED32 = 4;
/** The field has a meaning only in profiles: it is skipped, reported, and reads as absent. */
export const PROFILES_ONLY = 5;
export const BYTES = 6;
export const CHECK_TRACE_ID = 7;
export const CHECK_SPAN_ID = 8;
export const CHECK_PARENT_SPAN_ID = 9;
export const CHECK_LINK_TRACE_ID = 10;
export const CHECK_LINK_SPAN_ID = 11;
/** Added to the kind of the message in the field. */
export const DESCEND = 16;

type Action = "varint" | "fixed64" | "fixed32" | "bytes" | "profiles_only" | IdKind | MessageName;

const SCALAR_ACTIONS: Readonly<Record<string, Action>> = {
  bool: "varint",
  enum: "varint",
  uint32: "varint",
  int64: "varint",
  double: "fixed64",
  string: "bytes",
};

/** The action on each field of each message, by field number. */
export const SCHEMA = Object.fromEntries(
  MESSAGES.map((message) => [message, actionsOf(message)]),
) as Readonly<Record<MessageName, Readonly<Record<number, Action>>>>;

function actionsOf(message: MessageName): Readonly<Record<number, Action>> {
  const fields = schemaFields(message);
  return Object.fromEntries(
    fields.map(({ fieldNumber, kind }) => [fieldNumber, SCALAR_ACTIONS[kind] ?? (kind as Action)]),
  );
}

const CODES: Readonly<Record<string, number>> = {
  varint: VARINT,
  fixed64: FIXED64,
  fixed32: FIXED32,
  profiles_only: PROFILES_ONLY,
  bytes: BYTES,
  trace_id: CHECK_TRACE_ID,
  span_id: CHECK_SPAN_ID,
  parent_span_id: CHECK_PARENT_SPAN_ID,
  link_trace_id: CHECK_LINK_TRACE_ID,
  link_span_id: CHECK_LINK_SPAN_ID,
  ...Object.fromEntries(MESSAGES.map((name, kind) => [name, DESCEND + kind])),
};

function wireTypeOf(code: number): number {
  if (code === FIXED64) return WIRE_FIXED64;
  if (code === FIXED32) return WIRE_FIXED32;
  return code === VARINT || code === PROFILES_ONLY ? WIRE_VARINT : WIRE_BYTES;
}

/** Returns the action on an unknown field: skipped by its wire type; groups are refused. */
function unknownFieldAction(wireType: number): number {
  if (wireType === WIRE_VARINT) return VARINT;
  if (wireType === WIRE_FIXED64) return FIXED64;
  if (wireType === WIRE_BYTES) return BYTES;
  return wireType === WIRE_FIXED32 ? FIXED32 : BAD_TAG;
}

/** Covers fields 1 to 31, and so every field of the schema. */
export const ACTIONS_PER_KIND = 256;

/** Indexed by `kind * ACTIONS_PER_KIND + tag`, so one load finds the action. */
export const ACTIONS: Uint8Array = new Uint8Array(MESSAGES.length * ACTIONS_PER_KIND);

// A start fills the table before the program is warm, so it fills only what fields make different.
const UNKNOWN = new Uint8Array(ACTIONS_PER_KIND).fill(BAD_TAG, 0, 8);
for (let tag = 8; tag < ACTIONS_PER_KIND; tag += 1) UNKNOWN[tag] = unknownFieldAction(tag & 7);
for (const [kind, name] of MESSAGES.entries()) {
  ACTIONS.set(UNKNOWN, kind * ACTIONS_PER_KIND);
  for (const [field, action] of Object.entries(SCHEMA[name])) {
    setFieldActions(kind * ACTIONS_PER_KIND + (Number(field) << 3), CODES[action]!);
  }
}

/** Sets the action on a field under each wire type; `at` is the index of the first. */
function setFieldActions(at: number, code: number): void {
  for (let wireType = 0; wireType < 8; wireType += 1) {
    if (unknownFieldAction(wireType) === BAD_TAG) continue;
    ACTIONS[at + wireType] = wireTypeOf(code) === wireType ? code : WRONG_WIRE_TYPE;
  }
}

/** Returns the action on a field with any tag. */
export function fieldAction(kind: number, tag: number): number {
  if (tag < ACTIONS_PER_KIND) return ACTIONS[kind * ACTIONS_PER_KIND + tag]!;
  return unknownFieldAction(tag & 7);
}
