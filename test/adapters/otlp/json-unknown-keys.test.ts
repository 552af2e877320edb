import { expect, test } from "bun:test";
import { requestFromJson } from "../../../src/adapters/otlp/json/json-request.ts";

function unknownIn(body: string): string {
  const reading = requestFromJson(new TextEncoder().encode(body), { nestingDepth: 100 });
  return reading.ok ? reading.unknown : expect.unreachable(reading.message);
}

/** Returns this number of members with different keys. */
function members(count: number, prefix: string): string {
  return Array.from({ length: count }, (_, at) => `"${prefix}${at}":1`).join(",");
}

// Goal: the report on a request without spans explains why, but shows no data: an object that is a
// map of the sender's own may have personal data as its keys.
test.each([
  { name: "an empty object", body: "{}", unknown: "" },
  { name: "keys of OTLP", body: '{"resourceSpans":[{"scopeSpans":[]}]}', unknown: "" },
  {
    name: "keys in snake case",
    body: '{"resource_spans":[{"scope_spans":[]}]}',
    unknown: "unknown keys: resource_spans",
  },
  {
    name: "a key of an older OTLP",
    body: '{"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[{}]}]}]}',
    unknown: "unknown keys: instrumentationLibrarySpans",
  },
  { name: "another signal", body: '{"resourceLogs":[{}]}', unknown: "unknown keys: resourceLogs" },
  {
    name: "a key repeated at several depths",
    body: '{"a":1,"resourceSpans":[{"a":1,"b":1,"scopeSpans":[{"a":1}]}]}',
    unknown: "unknown keys: a, b",
  },
  { name: "a key with escapes", body: String.raw`{"\u0061b":1}`, unknown: "unknown keys: ab" },
  { name: "an address", body: '{"alice@example.com":1}', unknown: "unknown keys: 1" },
  {
    name: "an address and an identifier",
    body: '{"alice@example.com":1,"_id":2}',
    unknown: "unknown keys: _id",
  },
  {
    name: "a key of 32 letters",
    body: `{"${"x".repeat(32)}":1}`,
    unknown: `unknown keys: ${"x".repeat(32)}`,
  },
  { name: "a longer key", body: `{"${"x".repeat(33)}":1}`, unknown: "unknown keys: 1" },
  { name: "five keys", body: `{${members(5, "k")}}`, unknown: "unknown keys: k0, k1, k2, k3" },
  {
    name: "an identifier after many other keys",
    body: `{${members(16, "-")},"k":1}`,
    unknown: "unknown keys: 17",
  },
])("the report on $name is: $unknown", ({ body, unknown }) => {
  expect(unknownIn(body)).toBe(unknown);
});
