import { expect, test } from "bun:test";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import {
  explainFault,
  NO_FAULT,
  TOO_DEEP,
  TOO_MANY_FIELDS,
  TOO_MANY_SPANS,
} from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { disagreement } from "../../support/requests/decoded-request.ts";
import { largeField, repeated } from "../../support/requests/large-bytes.ts";
import {
  attribute,
  request,
  requestOf,
  span,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { bytesField, varint } from "../../support/requests/wire-bytes.ts";

function walk(bytes: Uint8Array, limits: { spansPerRequest?: number; nestingDepth?: number }) {
  const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100, ...limits });
  walkRequest(walked, bytes);
  return walked;
}

/** The levels of request, ResourceSpans, ScopeSpans, Span, KeyValue and AnyValue. */
const LEVELS_TO_VALUE = 6;

/** Returns a request with `levels` nested messages: a list in a list, and so on. */
function nested(levels: number, innermost: number[] = []): Uint8Array {
  let value = innermost;
  for (let level = LEVELS_TO_VALUE; level < levels; level += 2) {
    value = bytesField(5, bytesField(1, value));
  }
  const ids = [bytesField(1, traceId(1)), bytesField(2, spanId(1))];
  const deep = bytesField(9, bytesField(1, "deep"), bytesField(2, value));
  return request(bytesField(1, bytesField(2, bytesField(2, ...ids, deep))));
}

const string = bytesField(1, "innermost");

test("a request nested to the limit is accepted, and protobufjs can decode it", () => {
  const walked = walk(nested(100, string), { nestingDepth: 100 });

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 1 });
  expect(disagreement(walked)).toBeUndefined();
});

test("a request with one level more is refused with its offset", () => {
  const bytes = nested(100, bytesField(5));
  const walked = walk(bytes, { nestingDepth: 100 });

  expect(walked.fault).toBe(TOO_DEEP);
  expect(walked.faultOffsetBytes).toBe(bytes.length - 2);
});

// The fast path reads an attribute without descending into its two messages, which count as levels.
test.each([
  { levels: 6, fault: NO_FAULT },
  { levels: 5, fault: TOO_DEEP },
  { levels: 4, fault: TOO_DEEP },
])(
  "a plain attribute counts towards a limit of $levels levels like any other",
  ({ levels, fault }) => {
    expect(walk(nested(LEVELS_TO_VALUE, string), { nestingDepth: levels }).fault).toBe(fault);
  },
);

test.each([
  { levels: 4, fault: NO_FAULT },
  { levels: 3, fault: TOO_DEEP },
  { levels: 2, fault: TOO_DEEP },
  { levels: 1, fault: TOO_DEEP },
])("a span of scalars needs 4 levels: $levels", ({ levels, fault }) => {
  const bytes = request(bytesField(1, bytesField(2, span(1))));

  expect(walk(bytes, { nestingDepth: levels }).fault).toBe(fault);
});

// Spans after the first are read by another fast path.
test.each([
  { levels: 6, fault: NO_FAULT },
  { levels: 5, fault: TOO_DEEP },
  { levels: 4, fault: TOO_DEEP },
])("an attribute of a second span counts towards $levels levels", ({ levels, fault }) => {
  const second = span(2, bytesField(9, attribute("key", "value")));
  const bytes = request(bytesField(1, bytesField(2, span(1), second, span(3))));

  expect(walk(bytes, { nestingDepth: levels }).fault).toBe(fault);
});

test("a status, which is a message, counts as a level", () => {
  const bytes = request(bytesField(1, bytesField(2, span(1, bytesField(15, [0x18, 1])))));

  expect(walk(bytes, { nestingDepth: 4 }).fault).toBe(TOO_DEEP);
  expect(walk(bytes, { nestingDepth: 5 }).fault).toBe(NO_FAULT);
});

test("two hundred thousand levels do not overflow the stack", () => {
  // Written backwards, because each length includes all bytes after it.
  const bytes = new Uint8Array(1_000_000);
  let start = bytes.length;
  const wrap = (tagByte: number) => {
    const head = [tagByte, ...varint(bytes.length - start)];
    start -= head.length;
    bytes.set(head, start);
  };
  for (let level = 0; level < 100_000; level += 1) [0x0a, 0x2a].forEach(wrap);
  [0x12, 0x4a, 0x12, 0x12, 0x0a].forEach(wrap);

  expect(walk(bytes.subarray(start), {}).fault).toBe(TOO_DEEP);
});

test("a request with as many spans as the limit is accepted", () => {
  expect(walk(requestOf(5), { spansPerRequest: 5 })).toMatchObject({
    fault: NO_FAULT,
    spanCount: 5,
  });
});

test("a request with one span more is refused with its offset", () => {
  const walked = walk(requestOf(6), { spansPerRequest: 5 });

  expect(walked.fault).toBe(TOO_MANY_SPANS);
  expect(walked.faultOffsetBytes).toBe(
    requestOf(6).length - span(6).length - bytesField(3, "scope schema").length,
  );
});

test("rejected spans count towards the limit, because they cost as much", () => {
  const bad = bytesField(2, bytesField(5, "bad"));
  const bytes = request(bytesField(1, bytesField(2, bad, bad, span(1))));

  expect(walk(bytes, { spansPerRequest: 3 }).fault).toBe(NO_FAULT);
  expect(walk(bytes, { spansPerRequest: 2 }).fault).toBe(TOO_MANY_SPANS);
});

test("a request of empty spans is refused at the limit", () => {
  const bytes = largeField(1, largeField(2, repeated(bytesField(2), 200_000)));

  expect(walk(bytes, { spansPerRequest: 100_000 }).fault).toBe(TOO_MANY_SPANS);
});

test.each([
  { name: "resources", wrap: (fields: Uint8Array) => fields, field: 1 },
  { name: "scopes", wrap: (fields: Uint8Array) => largeField(1, fields), field: 2 },
  { name: "attributes", wrap: spanOf, field: 9 },
  { name: "events", wrap: spanOf, field: 11 },
  { name: "links", wrap: spanOf, field: 13 },
])("empty $name are refused beyond ten for each span of the limit", ({ wrap, field }) => {
  const walkMany = (count: number) =>
    walk(wrap(repeated(bytesField(field), count)), { spansPerRequest: 2_000 }).fault;

  // The messages around them count too.
  expect(walkMany(19_900)).toBe(NO_FAULT);
  expect(walkMany(20_000)).toBe(TOO_MANY_FIELDS);
});

test("a small limit of spans still allows ten thousand fields", () => {
  const bytes = repeated(bytesField(1), 9_999);

  expect(walk(bytes, { spansPerRequest: 1 }).fault).toBe(NO_FAULT);
});

function spanOf(fields: Uint8Array): Uint8Array {
  return largeField(1, largeField(2, largeField(2, fields)));
}

test("100,000 spans, each in its own scope, are accepted by default", () => {
  const bytes = largeField(1, repeated(bytesField(2, span(1)), 100_000));

  const walked = walk(bytes, { spansPerRequest: 100_000 });

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 100_000, contextCount: 100_000 });
  expect(walked.spanContext[99_999]).toBe(99_999);
});

test("a million messages without spans have no rows", () => {
  const walked = walk(repeated(bytesField(1), 1_000_000), { spansPerRequest: 200_000 });

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 0, contextCount: 0 });
});

test("every fault is explained with its offset and its own message", () => {
  const explained = [1, 2, 3, 4, 5, 6, 7].map((fault) => explainFault(fault, 42));

  expect(new Set(explained).size).toBe(7);
  expect(explained.every((text) => /^at byte 42: [a-z ,()0-9]+$/.test(text))).toBe(true);
});
