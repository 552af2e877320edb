import { expect, test } from "bun:test";
import { resolve } from "node:path";
import protobuf from "protobufjs";
import { readDefinitions } from "../../../scripts/proto/definitions.ts";
import {
  type Field,
  RESOURCE_SPANS_LIST,
  type Shape,
} from "../../../src/adapters/otlp/json-shape.ts";

const PROTO = resolve(import.meta.dir, "../../../proto");

const { root } = readDefinitions(PROTO, [
  "opentelemetry/proto/common/v1/common.proto",
  "opentelemetry/proto/resource/v1/resource.proto",
  "opentelemetry/proto/trace/v1/trace.proto",
]);

const messages = [...messagePairs(root.lookupType("ResourceSpans"), RESOURCE_SPANS_LIST.value())];

test.each(messages)("$name is written with the fields that proto/ gives it", ({ type, shape }) => {
  const defined = type.fieldsArray
    .filter((field) => field.name !== "keyStrindex")
    .map((field) => ({
      name: field.name,
      fieldNumber: field.id,
      isRepeated: field.repeated,
      isProfilesOnly: field.name === "stringValueStrindex",
      kind: kindByDefinition(field),
    }));

  expect(shape.fields.map(plainField)).toEqual(defined);
  expect(shape.isOneof).toBe(type.oneofsArray.length > 0);
});

test("every message of a request is written", () => {
  expect(messages.map(({ name }) => name).toSorted()).toEqual([
    "AnyValue",
    "ArrayValue",
    "EntityRef",
    "Event",
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

interface MessagePair {
  readonly name: string;
  readonly type: protobuf.Type;
  readonly shape: Shape;
}

/** Every message that is reached from this one, each once. */
function messagePairs(type: protobuf.Type, shape: Shape, seen = new Map<string, MessagePair>()) {
  if (seen.has(type.name)) return seen.values();
  seen.set(type.name, { name: type.name, type, shape });
  for (const field of shape.fields) {
    const child = type.fields[field.name]?.resolvedType;
    if (child instanceof protobuf.Type && typeof field.value === "function") {
      messagePairs(child, field.value(), seen);
    }
  }
  return seen.values();
}

function plainField({ value, ...field }: Field) {
  return { ...field, kind: typeof value === "function" ? "message" : value };
}

function kindByDefinition({ name, type, resolvedType }: protobuf.Field): string {
  if (resolvedType instanceof protobuf.Type) return "message";
  if (resolvedType instanceof protobuf.Enum) return "int32";
  if (type !== "bytes") return type;
  return name.endsWith("Id") ? "hex" : "base64";
}
