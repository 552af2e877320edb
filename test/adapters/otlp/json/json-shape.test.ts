import { expect, test } from "bun:test";
import { resolve } from "node:path";
import protobuf from "protobufjs";
import { readDefinitions } from "../../../../scripts/proto/definitions.ts";
import {
  type Field,
  fieldByKey,
  REQUEST,
  type Shape,
} from "../../../../src/adapters/otlp/json/json-shape.ts";

const PROTO = resolve(import.meta.dir, "../../../../proto");

const { root } = readDefinitions(PROTO, [
  "opentelemetry/proto/common/v1/common.proto",
  "opentelemetry/proto/resource/v1/resource.proto",
  "opentelemetry/proto/trace/v1/trace.proto",
  "opentelemetry/proto/collector/trace/v1/trace_service.proto",
]);

const messages = [...messagePairs(root.lookupType("ExportTraceServiceRequest"), REQUEST)];

test.each(messages)("the shape of $name equals its definition in proto/", ({ type, shape }) => {
  const defined = type.fieldsArray
    .filter((field) => field.name !== "keyStrindex")
    .map((field) => ({
      name: field.name,
      fieldNumber: field.id,
      isRepeated: field.repeated,
      isProfilesOnly: field.name === "stringValueStrindex",
      kind: kindByDefinition(field),
      tag: field.id * 8 + wireTypeByDefinition(field),
    }));

  expect(shape.fields.map(plainField)).toEqual(defined);
  expect(shape.isOneof).toBe(type.oneofsArray.length > 0);
});

test("every message of a request has a shape", () => {
  expect(messages.map(({ name }) => name).toSorted()).toEqual([
    "AnyValue",
    "ArrayValue",
    "EntityRef",
    "Event",
    "ExportTraceServiceRequest",
    "InstrumentationScope",
    "KeyValue",
    "KeyValueList",
    "Link",
    "Resource",
    "ResourceSpans",
    "ScopeSpans",
    "Span",
    "Status",
  ]);
});

test.each(messages)("a field of $name is found only by its exact key", ({ shape }) => {
  for (const field of shape.fields) {
    const { name } = field;
    const found = (key: string) => fieldByKey(shape, new TextEncoder().encode(`{"${key}":1}`), 2);

    expect(found(name)).toBe(field);
    expect(found(name.slice(0, -1))).toBeUndefined();
    expect(found(`${name}s`)).toBeUndefined();
    expect(found(name.toUpperCase())).toBeUndefined();
    expect(found(snakeCase(name))).toBe(snakeCase(name) === name ? field : undefined);
  }
});

test("no field is found at the end of the bytes or by an invalid first byte", () => {
  const bytes = Uint8Array.from([0xff, 0x00, 0x72]);

  expect([0, 1, 2, 3].map((at) => fieldByKey(REQUEST, bytes, at))).toEqual(
    Array(4).fill(undefined),
  );
});

interface MessagePair {
  readonly name: string;
  readonly type: protobuf.Type;
  readonly shape: Shape;
}

/** Returns every message that is reachable from this one, once. */
function messagePairs(type: protobuf.Type, shape: Shape, seen = new Map<string, MessagePair>()) {
  if (seen.has(type.name)) return seen.values();
  seen.set(type.name, { name: type.name, type, shape });
  for (const field of shape.fields) {
    const child = type.fields[field.name]?.resolvedType;
    if (child instanceof protobuf.Type && typeof field.value !== "string") {
      messagePairs(child, field.value, seen);
    }
  }
  return seen.values();
}

function plainField(field: Field) {
  const { name, fieldNumber, isRepeated, isProfilesOnly, value, tag } = field;
  const kind = typeof value === "string" ? value : "message";
  return { name, fieldNumber, isRepeated, isProfilesOnly, kind, tag };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function kindByDefinition({ name, type, resolvedType }: protobuf.Field): string {
  if (resolvedType instanceof protobuf.Type) return "message";
  if (resolvedType instanceof protobuf.Enum) return "int32";
  if (type !== "bytes") return type;
  return name.endsWith("Id") ? "hex" : "base64";
}

function wireTypeByDefinition({ type, resolvedType }: protobuf.Field): number {
  if (resolvedType instanceof protobuf.Type) return 2;
  if (resolvedType instanceof protobuf.Enum) return 0;
  return protobuf.types.basic[type as keyof typeof protobuf.types.basic];
}
