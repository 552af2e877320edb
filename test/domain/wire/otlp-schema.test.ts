import { expect, test } from "bun:test";
import { join } from "node:path";
import protobuf from "protobufjs";
import {
  ACTIONS,
  ACTIONS_PER_KIND,
  BAD_TAG,
  BYTES,
  DESCEND,
  EVENT,
  fieldAction,
  FIXED32,
  FIXED64,
  LINK,
  type MessageName,
  MESSAGES,
  OTLP,
  REQUEST,
  RESOURCE_SPANS,
  SCHEMA,
  schemaFields,
  SCOPE_SPANS,
  SPAN,
  VARINT,
  WRONG_WIRE_TYPE,
} from "../../../src/domain/wire/otlp-schema.ts";

const PROTO = join(import.meta.dir, "../../../proto");
const REQUEST_TYPE = "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest";

/** Returns every message that a request can contain, as parsed by protobufjs. */
function definedMessages(): Map<string, protobuf.Type> {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => join(PROTO, target);
  root.loadSync("opentelemetry/proto/collector/trace/v1/trace_service.proto", { keepCase: true });
  root.resolveAll();
  const reached = new Map<string, protobuf.Type>();
  const reach = (type: protobuf.Type): void => {
    if (reached.has(type.name)) return;
    reached.set(type.name, type);
    for (const field of type.fieldsArray) {
      if (field.resolvedType instanceof protobuf.Type) reach(field.resolvedType);
    }
  };
  reach(root.lookupType(REQUEST_TYPE));
  return reached;
}

/** Returns the expected entry of a field, derived from its definition. */
function expectedAction(message: string, field: protobuf.Field): string {
  if (field.resolvedType instanceof protobuf.Type) return field.resolvedType.name;
  if (field.name.endsWith("_strindex")) return "profiles_only";
  if (field.type === "fixed32") return "fixed32";
  if (field.type === "fixed64" || field.type === "double") return "fixed64";
  if (field.type === "bytes" && field.name.endsWith("_id")) {
    return message === "Link" ? `link_${field.name}` : field.name;
  }
  return field.type === "string" || field.type === "bytes" ? "bytes" : "varint";
}

const messages = definedMessages();

test.each(MESSAGES)("the text fields of %s are those of its definition", (name) => {
  const defined = messages.get(name)!.fieldsArray.filter(({ type }) => type === "string");

  const texts = schemaFields(name).filter(({ kind }) => kind === "string");
  expect(texts.map(({ fieldNumber }) => fieldNumber)).toEqual(
    defined.map(({ id }) => id).toSorted((one, other) => one - other),
  );
});

test("the walk knows exactly the messages that a request can contain", () => {
  expect([...MESSAGES].toSorted()).toEqual([...messages.keys()].toSorted() as MessageName[]);
});

test.each([...MESSAGES])("%s has exactly the fields of its definition", (name) => {
  const fields = messages.get(name)!.fieldsArray;

  const expected = Object.fromEntries(
    fields.map((field) => [field.id, expectedAction(name, field)]),
  );

  expect(SCHEMA[name]).toEqual(expected as (typeof SCHEMA)[typeof name]);
});

test("message names are unique", () => {
  expect(new Set(MESSAGES).size).toBe(MESSAGES.length);
  expect(DESCEND + MESSAGES.length).toBeLessThan(256);
});

test.each(MESSAGES)("the table has the JSON names and the kinds of the fields of %s", (name) => {
  const fields = messages.get(name)!.fieldsArray;

  const expected = fields.map((field) => ({
    name: field.name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    fieldNumber: field.id,
    kind: expectedKind(name, field),
    isRepeated: field.repeated,
  }));

  expect<unknown>(schemaFields(name)).toEqual(expected);
});

/** Returns the expected entry of a field, derived from its definition. */
function expectedKind(message: string, field: protobuf.Field): string {
  if (field.resolvedType instanceof protobuf.Enum) return "enum";
  const action = expectedAction(message, field);
  return action === "varint" || action.startsWith("fixed") || action === "bytes"
    ? field.type
    : action;
}

test("the numbers of messages in the walk are their rows in the table", () => {
  expect(Object.keys(OTLP).slice(0, EVENT + 1)).toEqual(
    [
      ["ExportTraceServiceRequest", REQUEST] as const,
      ["ResourceSpans", RESOURCE_SPANS] as const,
      ["ScopeSpans", SCOPE_SPANS] as const,
      ["Span", SPAN] as const,
      ["Link", LINK] as const,
      ["Event", EVENT] as const,
    ]
      .toSorted(([, one], [, other]) => one - other)
      .map(([name]) => name),
  );
});

test("a known field with another wire type is refused in every message", () => {
  const accepted = MESSAGES.flatMap((name, kind) =>
    Object.keys(SCHEMA[name]).map((fieldNumber) =>
      [0, 1, 2, 5].filter((wireType) => {
        const action = fieldAction(kind, Number(fieldNumber) * 8 + wireType);
        return action !== WRONG_WIRE_TYPE;
      }),
    ),
  );

  expect(accepted.every((wireTypes) => wireTypes.length === 1)).toBe(true);
});

test.each([
  { name: "0 is a varint", wireType: 0, action: VARINT },
  { name: "1 is eight bytes", wireType: 1, action: FIXED64 },
  { name: "2 has a length", wireType: 2, action: BYTES },
  { name: "3 begins a group, and is refused", wireType: 3, action: BAD_TAG },
  { name: "4 ends a group, and is refused", wireType: 4, action: BAD_TAG },
  { name: "5 is four bytes", wireType: 5, action: FIXED32 },
  { name: "6 is undefined, and is refused", wireType: 6, action: BAD_TAG },
  { name: "7 is undefined, and is refused", wireType: 7, action: BAD_TAG },
])("in an unknown field, wire type $name", ({ wireType, action }) => {
  const unknown = [17, 31, 32, 1000, 2 ** 29 - 1];

  const actions = unknown.map((fieldNumber) => fieldAction(SPAN, fieldNumber * 8 + wireType));

  expect(actions).toEqual(unknown.map(() => action));
});

test("field 0 is refused with any wire type in every message", () => {
  const actions = MESSAGES.flatMap((_, kind) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((tag) => ACTIONS[kind * ACTIONS_PER_KIND + tag]),
  );

  expect(new Set(actions)).toEqual(new Set([BAD_TAG]));
});

test("a group with a known field number is refused", () => {
  expect(fieldAction(SPAN, 9 * 8 + 3)).toBe(BAD_TAG);
  expect(fieldAction(SPAN, 9 * 8 + 4)).toBe(BAD_TAG);
});

test("the reserved fields Status.1 and ResourceSpans.1000 are unknown", () => {
  expect(fieldAction(MESSAGES.indexOf("Status"), 8)).toBe(VARINT);
  expect(fieldAction(MESSAGES.indexOf("ResourceSpans"), 1000 * 8 + 2)).toBe(BYTES);
});
