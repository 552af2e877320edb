import { expect, test } from "bun:test";
import { unknownFields } from "../../../src/domain/wire/walk-fault.ts";
import { handBuiltRequests } from "../../support/requests/hand-built-requests.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

test.each([
  { name: "an empty request", bytes: new Uint8Array(0), found: [] },
  { name: "known fields", bytes: requestOf(3), found: [] },
  {
    name: "the former instrumentation_library_spans",
    bytes: request(bytesField(1, bytesField(1), bytesField(1000, bytesField(2)))),
    found: ["ResourceSpans.1000"],
  },
  {
    name: "one of each message, in order",
    bytes: request(bytesField(1, bytesField(2, varintField(9, 1)), varintField(4, 1)), [0x78, 1]),
    found: ["ScopeSpans.9", "ResourceSpans.4", "ExportTraceServiceRequest.15"],
  },
  {
    name: "a repeated one",
    bytes: request(bytesField(7), bytesField(7), bytesField(7)),
    found: ["ExportTraceServiceRequest.7"],
  },
  {
    name: "fields of a resource and of a span, which contain no spans",
    bytes: request(resourceSpans("shop", span(1, varintField(99, 1)))),
    found: [],
  },
])("unknown fields are found: $name, $found", ({ bytes, found }) => {
  expect(unknownFields(bytes)).toEqual(found);
});

test("at most four unknown fields are named", () => {
  const fields = Array.from({ length: 9 }, (_, at) => varintField(at + 2, 1));

  expect(unknownFields(request(...fields))).toHaveLength(4);
});

test.each(Object.keys(handBuiltRequests))("unknown fields are searched to the end: %s", (name) => {
  expect(() => unknownFields(handBuiltRequests[name]!)).not.toThrow();
});
