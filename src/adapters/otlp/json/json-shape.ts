/**
 * Describes how each message of a trace request is written as OTLP/JSON: proto3 JSON, except that
 * identifiers are hex and enums are numbers. Derived from the one schema table.
 */
import {
  MESSAGES,
  type MessageName,
  OTLP,
  type SchemaField,
  schemaFields,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
} from "../../../domain/wire/otlp-schema.ts";
import { RESOURCE_SPANS_FIELD } from "../../../domain/wire/otlp-tags.ts";

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

export type PlainForm = "text" | "id" | "time" | "whole" | "none";

export interface Field {
  readonly name: string;
  readonly fieldNumber: number;
  readonly isRepeated: boolean;
  /** Has a meaning in profiles only, and reads as absent on a span. */
  readonly isProfilesOnly: boolean;
  /** A scalar or another message. */
  readonly value: ScalarKind | Shape;
  /** The plain form of its values, if they have one: see `json-plain-scalar`. */
  readonly plain: PlainForm;
  /** The name as a JSON key without its opening quote; the closing one ends a comparison. */
  readonly keyEnd: Uint8Array;
  /** The tag before the value on the wire. */
  readonly tag: number;
}

export interface Shape {
  readonly fields: readonly Field[];
  readonly byNumber: readonly (Field | undefined)[];
  /** The fields by the code of the first letter of their name. */
  readonly byLetter: readonly (readonly Field[] | undefined)[];
  /** Only the last field counts, and it is written even when it is zero. */
  readonly isOneof: boolean;
  /** The bytes that the length of such a message is expected to take. */
  readonly lengthBytes: number;
}

const PLAIN_FORMS: Readonly<Partial<Record<ScalarKind, PlainForm>>> = {
  string: "text",
  hex: "id",
  int32: "whole",
  uint32: "whole",
  int64: "whole",
  fixed32: "whole",
  fixed64: "time",
};

/**
 * The messages whose lengths take several bytes in nearly all requests: moving them afterwards took
 * a twentieth of the time of a body.
 */
const LENGTH_BYTES: Readonly<Partial<Record<MessageName, number>>> = {
  ResourceSpans: 3,
  ScopeSpans: 3,
  Span: 2,
};

const growing = new Map<string, GrowingShape>(MESSAGES.map((name) => [name, emptyShape(name)]));

/** The messages of a request, by their names in `proto/`. */
export const SHAPES = Object.fromEntries<Shape>(growing) as Readonly<Record<MessageName, Shape>>;

// Afterwards, because messages refer to each other in cycles.
for (const name of MESSAGES) addFields(growing.get(name)!, name);

export const REQUEST: Shape = SHAPES.ExportTraceServiceRequest;

/** The only field of the request. */
export const RESOURCE_SPANS_LIST = {
  fieldNumber: RESOURCE_SPANS_FIELD,
  value: SHAPES.ResourceSpans,
};

/** A shape to which fields are being added. */
interface GrowingShape extends Shape {
  readonly fields: Field[];
  readonly byNumber: (Field | undefined)[];
  readonly byLetter: (Field[] | undefined)[];
}

function emptyShape(message: MessageName): GrowingShape {
  return {
    fields: [],
    byNumber: [],
    byLetter: Array<undefined>(128).fill(undefined),
    isOneof: message === "AnyValue",
    lengthBytes: LENGTH_BYTES[message] ?? 1,
  };
}

function addFields(
  { fields, byNumber, byLetter, isOneof }: GrowingShape,
  message: MessageName,
): void {
  // Includes the member of the oneof that belongs to profiles, because it unsets earlier members.
  const known = schemaFields(message).filter(({ kind }) => isOneof || kind !== "profiles_only");
  for (const field of known.map(jsonField)) {
    fields.push(field);
    byNumber[field.fieldNumber] = field;
    (byLetter[field.keyEnd[0]!] ??= []).push(field);
  }
}

function jsonField({ name, fieldNumber, kind, isRepeated }: SchemaField): Field {
  const value = valueOf(kind);
  const isProfilesOnly = kind === "profiles_only";
  const keyEnd = new TextEncoder().encode(`${name}"`);
  const tag = (fieldNumber << 3) | wireTypeOf(value);
  const plain = plainForm(value, isRepeated);
  return { name, fieldNumber, isRepeated, isProfilesOnly, value, plain, keyEnd, tag };
}

/** Returns the plain form of a field that holds one scalar. */
function plainForm(value: Field["value"], isRepeated: boolean): PlainForm {
  const isScalar = typeof value === "string" && !isRepeated;
  return (isScalar ? PLAIN_FORMS[value] : undefined) ?? "none";
}

function valueOf(kind: SchemaField["kind"]): Field["value"] {
  if (kind in OTLP) return SHAPES[kind as MessageName];
  if (kind.endsWith("_id")) return "hex";
  if (kind === "bytes") return "base64";
  return kind === "enum" || kind === "profiles_only" ? "int32" : (kind as ScalarKind);
}

function wireTypeOf(value: Field["value"]): number {
  if (value === "fixed32") return WIRE_FIXED32;
  if (value === "fixed64" || value === "double") return WIRE_FIXED64;
  const isText = value === "string" || value === "hex" || value === "base64";
  return isText || typeof value !== "string" ? WIRE_BYTES : WIRE_VARINT;
}

/** Returns the field whose key, without its opening quote, is at `at`. */
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
