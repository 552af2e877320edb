import { expect, test } from "bun:test";
import { requestFromJson } from "../../../../src/adapters/otlp/json/json-request.ts";
import { walkRequest } from "../../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../../src/domain/wire/walked-request.ts";
import { bodyOfSpan, rereadSpan } from "../../../support/requests/json-span.ts";

function read(body: Uint8Array, nestingDepth = 100): Uint8Array {
  const reading = requestFromJson(body, { nestingDepth });
  return reading.ok ? reading.request : expect.unreachable(reading.message);
}

/** Nests lists within a request, two envelopes, a span, a KeyValue and an AnyValue. */
function nestedLists(levels: number): Uint8Array {
  const begin = '{"arrayValue":{"values":[';
  return bodyOfSpan(`"attributes":[{"value":${begin.repeat(levels)}{}${"]}}".repeat(levels)}}]`);
}

function isWalked(request: Uint8Array, nestingDepth: number): boolean {
  const walked = createWalkedRequest({ spansPerRequest: 9, nestingDepth });
  walkRequest(walked, request);
  return walked.fault === NO_FAULT;
}

// Goal: the reader and the walk refuse the same depths.
test.each([4, 5, 6, 10, 11, 12, 100])("a limit of %d levels equals that of the walk", (depth) => {
  for (let levels = 0; levels < 47; levels += 1) {
    const body = nestedLists(levels);

    const reading = requestFromJson(body, { nestingDepth: depth });

    expect(reading.ok).toBe(isWalked(read(body), depth));
  }
});

test("nesting of any depth is refused without recursion, in known and unknown fields", () => {
  const million = 1_000_000;
  const known = `"attributes":[{"value":${'{"arrayValue":{"values":['.repeat(million / 10)}`;

  expect(rereadSpan(known)).toContain("messages are nested too deeply");
  expect(rereadSpan(`"x":${"[".repeat(million)}`)).toContain("nested too deeply");
  expect(rereadSpan(`"x":${'{"x":'.repeat(million)}`)).toContain("nested too deeply");
});

/** Nests lists and objects in turn. */
function unknownNest(levels: number): string {
  return `"x":${'[{"a":'.repeat(levels / 2)}1${"}]".repeat(levels / 2)}`;
}

test("unknown values may nest as deeply as messages", () => {
  expect(rereadSpan(`${unknownNest(100)},"flags":1`)).toBe('"flags":1');
  expect(rereadSpan(unknownNest(102))).toContain("an unknown field is nested too deeply");
});

test.each([
  { name: "negative enums", body: () => `"status":{${'"code":-1,'.repeat(50_000)}"code":2}` },
  { name: "empty attributes", body: () => `"attributes":[${"{},".repeat(60_000)}{}]` },
  { name: "empty strings", body: () => `${'"name":"",'.repeat(50_000)}"name":""` },
  { name: "broken identifiers", body: () => `${'"spanId":"x",'.repeat(50_000)}"spanId":""` },
  { name: "lone surrogates", body: () => `"name":"${"\\ud800".repeat(50_000)}"` },
  { name: "escapes", body: () => `"name":"${"\\n".repeat(50_000)}"` },
  { name: "long text", body: () => `"name":"${"€".repeat(700_000)}"` },
  { name: "an escaped key", body: () => `"${"\\u0061".repeat(50_000)}":0` },
  { name: "digits", body: () => `"flags":0.${"0".repeat(500_000)}1e500001` },
])("the request is at most an eighth larger than the body: $name", ({ body }) => {
  const bytes = bodyOfSpan(body());

  const made = read(bytes);

  expect(made.length).toBeLessThanOrEqual(bytes.length * 1.125 + 64);
});

test("the result has its own memory", () => {
  const body = bodyOfSpan('"name":"a\\u0062c"');
  const before = body.slice();

  const made = read(body);
  const copy = made.slice();
  body.fill(0);

  expect(made).toEqual(copy);
  expect(before).not.toEqual(body);
});

const emptyLists = (count: number) => `"x":[${"[],".repeat(count - 1)}{}]`;
const emptyEvents = (count: number) => `"events":[${"{},".repeat(count - 1)}{}]`;

test("a body with more empty objects than any exporter sends is refused while it is read", () => {
  for (const members of [emptyLists, emptyEvents]) {
    expect(requestFromJson(bodyOfSpan(members(60_000)), { nestingDepth: 100 }).ok).toBe(true);
    expect(rereadSpan(members(66_000))).toContain("too many empty objects and lists");
  }
});
