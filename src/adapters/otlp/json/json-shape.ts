/**
 * How each message of a trace request is written as OTLP/JSON: proto3 JSON, except that
 * identifiers are hex and enums are numbers. Fields are in order of their numbers.
 *
 * `test/adapters/otlp/json/json-shape.test.ts` compares this table with the definitions in
 * `proto/`.
 */
import {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
} from "../../../domain/wire/otlp-schema.ts";

export type ScalarKind =
  | "string"
  | "hex"
  | "base64"
  | "bool"
  | "double"
  | "int32"
  | "uint32"
  | "int64"
  | "fixed32"
  | "fixed64";

export interface Field {
  readonly name: string;
  readonly fieldNumber: number;
  readonly isRepeated: boolean;
  /** Means something in profiles only: on a span it reads as absent. */
  readonly isProfilesOnly: boolean;
  /** A scalar, or another message; a function, because messages refer to one another in circles. */
  readonly value: ScalarKind | (() => Shape);
  /** The name as a key of JSON without its opening quote; the closing one ends a comparison. */
  readonly keyEnd: Uint8Array;
  /** What stands before the value on the wire. */
  readonly tag: number;
}

export interface Shape {
  readonly fields: readonly Field[];
  readonly byNumber: readonly (Field | undefined)[];
  /** By the code of the first letter of their names. */
  readonly byLetter: readonly (readonly Field[] | undefined)[];
  /** Of all fields only the one that came last counts, and it is written even when it is zero. */
  readonly isOneof: boolean;
}

function field(fieldNumber: number, name: string, value: Field["value"]): Field {
  const keyEnd = new TextEncoder().encode(`${name}"`);
  const tag = (fieldNumber << 3) | wireTypeOf(value);
  return { name, fieldNumber, isRepeated: false, isProfilesOnly: false, value, keyEnd, tag };
}

function wireTypeOf(value: Field["value"]): number {
  if (value === "fixed32") return WIRE_FIXED32;
  if (value === "fixed64" || value === "double") return WIRE_FIXED64;
  const isText = value === "string" || value === "hex" || value === "base64";
  return isText || typeof value === "function" ? WIRE_BYTES : WIRE_VARINT;
}

function repeated(fieldNumber: number, name: string, value: Field["value"]): Field {
  return { ...field(fieldNumber, name, value), isRepeated: true };
}

function message(...fields: Field[]): Shape {
  const byNumber: Field[] = [];
  const byLetter: Field[][] = Array.from({ length: 128 }, () => []);
  for (const each of fields) {
    byNumber[each.fieldNumber] = each;
    byLetter[each.keyEnd[0]!]!.push(each);
  }
  return { fields, byNumber, byLetter, isOneof: false };
}

function oneof(...fields: Field[]): Shape {
  return { ...message(...fields), isOneof: true };
}

/** The member that belongs to profiles is here because, coming last, it unsets the others. */
const ANY_VALUE = oneof(
  field(1, "stringValue", "string"),
  field(2, "boolValue", "bool"),
  field(3, "intValue", "int64"),
  field(4, "doubleValue", "double"),
  field(5, "arrayValue", () => ARRAY_VALUE),
  field(6, "kvlistValue", () => KEY_VALUE_LIST),
  field(7, "bytesValue", "base64"),
  { ...field(8, "stringValueStrindex", "int32"), isProfilesOnly: true },
);

const ARRAY_VALUE = message(repeated(1, "values", () => ANY_VALUE));

const KEY_VALUE_LIST = message(repeated(1, "values", () => KEY_VALUE));

/** Without `keyStrindex`, which belongs to profiles. */
const KEY_VALUE = message(
  field(1, "key", "string"),
  field(2, "value", () => ANY_VALUE),
);

const ENTITY_REF = message(
  field(1, "schemaUrl", "string"),
  field(2, "type", "string"),
  repeated(3, "idKeys", "string"),
  repeated(4, "descriptionKeys", "string"),
);

const RESOURCE = message(
  repeated(1, "attributes", () => KEY_VALUE),
  field(2, "droppedAttributesCount", "uint32"),
  repeated(3, "entityRefs", () => ENTITY_REF),
);

const SCOPE = message(
  field(1, "name", "string"),
  field(2, "version", "string"),
  repeated(3, "attributes", () => KEY_VALUE),
  field(4, "droppedAttributesCount", "uint32"),
);

const EVENT = message(
  field(1, "timeUnixNano", "fixed64"),
  field(2, "name", "string"),
  repeated(3, "attributes", () => KEY_VALUE),
  field(4, "droppedAttributesCount", "uint32"),
);

const LINK = message(
  field(1, "traceId", "hex"),
  field(2, "spanId", "hex"),
  field(3, "traceState", "string"),
  repeated(4, "attributes", () => KEY_VALUE),
  field(5, "droppedAttributesCount", "uint32"),
  field(6, "flags", "fixed32"),
);

const STATUS = message(field(2, "message", "string"), field(3, "code", "int32"));

const SPAN = message(
  field(1, "traceId", "hex"),
  field(2, "spanId", "hex"),
  field(3, "traceState", "string"),
  field(4, "parentSpanId", "hex"),
  field(5, "name", "string"),
  field(6, "kind", "int32"),
  field(7, "startTimeUnixNano", "fixed64"),
  field(8, "endTimeUnixNano", "fixed64"),
  repeated(9, "attributes", () => KEY_VALUE),
  field(10, "droppedAttributesCount", "uint32"),
  repeated(11, "events", () => EVENT),
  field(12, "droppedEventsCount", "uint32"),
  repeated(13, "links", () => LINK),
  field(14, "droppedLinksCount", "uint32"),
  field(15, "status", () => STATUS),
  field(16, "flags", "fixed32"),
);

const SCOPE_SPANS = message(
  field(1, "scope", () => SCOPE),
  repeated(2, "spans", () => SPAN),
  field(3, "schemaUrl", "string"),
);

const RESOURCE_SPANS = message(
  field(1, "resource", () => RESOURCE),
  repeated(2, "scopeSpans", () => SCOPE_SPANS),
  field(3, "schemaUrl", "string"),
);

/** The field of the request that holds everything. */
export const RESOURCE_SPANS_LIST = { fieldNumber: 1, value: (): Shape => RESOURCE_SPANS };

export const REQUEST: Shape = message(
  repeated(RESOURCE_SPANS_LIST.fieldNumber, "resourceSpans", RESOURCE_SPANS_LIST.value),
);

/** Every message of a request, by its name in `proto/`. */
export const SHAPES = {
  ExportTraceServiceRequest: REQUEST,
  ResourceSpans: RESOURCE_SPANS,
  Resource: RESOURCE,
  EntityRef: ENTITY_REF,
  ScopeSpans: SCOPE_SPANS,
  InstrumentationScope: SCOPE,
  Span: SPAN,
  Event: EVENT,
  Link: LINK,
  Status: STATUS,
  KeyValue: KEY_VALUE,
  AnyValue: ANY_VALUE,
  ArrayValue: ARRAY_VALUE,
  KeyValueList: KEY_VALUE_LIST,
} as const satisfies Readonly<Record<string, Shape>>;

/** The field whose key, without its opening quote, stands at `at`. */
export function fieldByKey({ byLetter }: Shape, bytes: Uint8Array, at: number): Field | undefined {
  const alike = byLetter[bytes[at]!];
  if (alike === undefined) return undefined;
  for (let index = 0; index < alike.length; index += 1) {
    if (standsAt(alike[index]!.keyEnd, bytes, at)) return alike[index];
  }
  return undefined;
}

function standsAt(wanted: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < wanted.length; index += 1) {
    if (bytes[at + index] !== wanted[index]) return false;
  }
  return true;
}
