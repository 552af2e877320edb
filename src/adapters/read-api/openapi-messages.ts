import { type Field, type ScalarKind, type Shape, SHAPES } from "../otlp/json/json-shape.ts";
import type { JsonSchema } from "./parameter.ts";

const UNSIGNED_32 = { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };

const SCALAR_SCHEMAS: Readonly<Record<ScalarKind, JsonSchema>> = {
  string: { type: "string" },
  hex: { type: "string", pattern: "^([0-9a-f]{2})*$" },
  base64: { type: "string", contentEncoding: "base64" },
  bool: { type: "boolean" },
  double: { anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] },
  int32: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  uint32: UNSIGNED_32,
  int64: { type: "string", pattern: String.raw`^-?\d{1,19}$` },
  fixed32: UNSIGNED_32,
  fixed64: { type: "string", pattern: String.raw`^\d{1,20}$` },
};

/** The messages of a trace request in OTLP/JSON, from the table that they are written by. */
export const MESSAGE_SCHEMAS: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => [name, messageSchema(shape)]),
);

function messageSchema({ fields, isOneof }: Shape): JsonSchema {
  const shown = fields.filter(({ isProfilesOnly }) => !isProfilesOnly);
  const properties = Object.fromEntries(shown.map((field) => [field.name, fieldSchema(field)]));
  return { type: "object", properties, ...(isOneof ? { maxProperties: 1 } : {}) };
}

function fieldSchema({ value, isRepeated }: Field): JsonSchema {
  const schema = typeof value === "function" ? refTo(value()) : SCALAR_SCHEMAS[value];
  return isRepeated ? { type: "array", items: schema } : schema;
}

function refTo(shape: Shape): JsonSchema {
  const [name] = Object.entries(SHAPES).find(([, each]) => each === shape)!;
  return { $ref: `#/components/schemas/${name}` };
}
