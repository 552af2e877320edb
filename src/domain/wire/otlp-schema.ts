/**
 * The messages of a trace request, as the wire walk needs them: which field is a message, which
 * holds an identifier, and which wire type each must have. `test/domain/wire/otlp-schema.test.ts`
 * holds this table against the definitions in `proto/`.
 */

export const MESSAGES = [
  "ExportTraceServiceRequest",
  "ResourceSpans",
  "ScopeSpans",
  "Span",
  "Link",
  "Event",
  "Status",
  "Resource",
  "EntityRef",
  "InstrumentationScope",
  "KeyValue",
  "AnyValue",
  "ArrayValue",
  "KeyValueList",
] as const;

export type MessageName = (typeof MESSAGES)[number];

/** Up to here the walk has something to do when a message begins or ends; see `walked-request`. */
export const REQUEST = 0;
export const RESOURCE_SPANS = 1;
export const SCOPE_SPANS = 2;
export const SPAN = 3;
export const LINK = 4;
export const EVENT = 5;

/** Field numbers that the hand-over writes. */
export const RESOURCE_SPANS_FIELD = 1;
export const SCOPE_SPANS_FIELD = 2;
export const SPANS_FIELD = 2;

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/** What the walk does with a field. From `BYTES` on, the field has a length. */
export const BAD_TAG = 0;
export const WRONG_WIRE_TYPE = 1;
export const VARINT = 2;
export const FIXED64 = 3;
export const FIXED32 = 4;
/** Means something in profiles only: stepped over, reported, read as absent. */
export const PROFILES_ONLY = 5;
export const BYTES = 6;
export const TRACE_ID = 7;
export const SPAN_ID = 8;
export const PARENT_SPAN_ID = 9;
export const LINK_TRACE_ID = 10;
export const LINK_SPAN_ID = 11;
/** Plus the kind of the message that the field holds. */
export const DESCEND = 16;

type Action = "varint" | "fixed64" | "fixed32" | "bytes" | "profiles_only" | IdAction | MessageName;
type IdAction = "trace_id" | "span_id" | "parent_span_id" | "link_trace_id" | "link_span_id";

const ATTRIBUTE = "KeyValue";

export const SCHEMA: Readonly<Record<MessageName, Readonly<Record<number, Action>>>> = {
  ExportTraceServiceRequest: { 1: "ResourceSpans" },
  ResourceSpans: { 1: "Resource", 2: "ScopeSpans", 3: "bytes" },
  ScopeSpans: { 1: "InstrumentationScope", 2: "Span", 3: "bytes" },
  Span: {
    1: "trace_id",
    2: "span_id",
    3: "bytes",
    4: "parent_span_id",
    5: "bytes",
    6: "varint",
    7: "fixed64",
    8: "fixed64",
    9: ATTRIBUTE,
    10: "varint",
    11: "Event",
    12: "varint",
    13: "Link",
    14: "varint",
    15: "Status",
    16: "fixed32",
  },
  Link: {
    1: "link_trace_id",
    2: "link_span_id",
    3: "bytes",
    4: ATTRIBUTE,
    5: "varint",
    6: "fixed32",
  },
  Event: { 1: "fixed64", 2: "bytes", 3: ATTRIBUTE, 4: "varint" },
  Status: { 2: "bytes", 3: "varint" },
  Resource: { 1: ATTRIBUTE, 2: "varint", 3: "EntityRef" },
  EntityRef: { 1: "bytes", 2: "bytes", 3: "bytes", 4: "bytes" },
  InstrumentationScope: { 1: "bytes", 2: "bytes", 3: ATTRIBUTE, 4: "varint" },
  KeyValue: { 1: "bytes", 2: "AnyValue", 3: "profiles_only" },
  AnyValue: {
    1: "bytes",
    2: "varint",
    3: "varint",
    4: "fixed64",
    5: "ArrayValue",
    6: "KeyValueList",
    7: "bytes",
    8: "profiles_only",
  },
  ArrayValue: { 1: "AnyValue" },
  KeyValueList: { 1: ATTRIBUTE },
};

/** The fields of each message that hold text, which is UTF-8 as far as its sender is right. */
export const TEXT_FIELDS: Readonly<Record<MessageName, readonly number[]>> = {
  ExportTraceServiceRequest: [],
  ResourceSpans: [3],
  ScopeSpans: [3],
  Span: [3, 5],
  Link: [3],
  Event: [2],
  Status: [2],
  Resource: [],
  EntityRef: [1, 2, 3, 4],
  InstrumentationScope: [1, 2],
  KeyValue: [1],
  AnyValue: [1],
  ArrayValue: [],
  KeyValueList: [],
};

const CODES: Readonly<Record<string, number>> = {
  varint: VARINT,
  fixed64: FIXED64,
  fixed32: FIXED32,
  profiles_only: PROFILES_ONLY,
  bytes: BYTES,
  trace_id: TRACE_ID,
  span_id: SPAN_ID,
  parent_span_id: PARENT_SPAN_ID,
  link_trace_id: LINK_TRACE_ID,
  link_span_id: LINK_SPAN_ID,
  ...Object.fromEntries(MESSAGES.map((name, kind) => [name, DESCEND + kind])),
};

function wireTypeOf(code: number): number {
  if (code === FIXED64) return WIRE_FIXED64;
  if (code === FIXED32) return WIRE_FIXED32;
  return code === VARINT || code === PROFILES_ONLY ? WIRE_VARINT : WIRE_BYTES;
}

/** A field that the schema does not have is stepped over by its wire type; groups are refused. */
function unknownFieldAction(wireType: number): number {
  if (wireType === WIRE_VARINT) return VARINT;
  if (wireType === WIRE_FIXED64) return FIXED64;
  if (wireType === WIRE_BYTES) return BYTES;
  return wireType === WIRE_FIXED32 ? FIXED32 : BAD_TAG;
}

/** Fields 1 to 31, so that every field of the schema has its place in the table. */
export const ACTIONS_PER_KIND = 256;

function schemaAction(kind: number, tag: number): number {
  const expected = SCHEMA[MESSAGES[kind]!][tag >>> 3];
  const unknown = unknownFieldAction(tag & 7);
  if (tag >>> 3 === 0) return BAD_TAG;
  if (expected === undefined || unknown === BAD_TAG) return unknown;
  const code = CODES[expected]!;
  return wireTypeOf(code) === (tag & 7) ? code : WRONG_WIRE_TYPE;
}

/** Indexed by `kind * ACTIONS_PER_KIND + tag`: what to do with a field is one load. */
export const ACTIONS: Uint8Array = Uint8Array.from(
  { length: MESSAGES.length * ACTIONS_PER_KIND },
  (_, index) => schemaAction(Math.floor(index / ACTIONS_PER_KIND), index % ACTIONS_PER_KIND),
);

/** The same for any tag. */
export function fieldAction(kind: number, tag: number): number {
  if (tag < ACTIONS_PER_KIND) return ACTIONS[kind * ACTIONS_PER_KIND + tag]!;
  return unknownFieldAction(tag & 7);
}
