import { expect, test } from "bun:test";
import { plainNameAt } from "../../../src/domain/wire/plain-fields.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import {
  BAD_FIELD_TAG,
  FIELD_OF_WRONG_TYPE,
  NO_FAULT,
  TOO_MANY_SPANS,
} from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { referenceWalk } from "../../support/oracles/reference-walk.ts";
import {
  attribute,
  request,
  resourceSpans,
  span,
  spanBody,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { answerOf } from "../../support/oracles/walk-answer.ts";
import { bytesField, tag, varint, varintField } from "../../support/requests/wire-bytes.ts";

// Goal: runs of plain spans have the same outcome together as one by one.
// Method: the results are compared with the reference walk, which has no fast path.

const LIMITS = { spansPerRequest: 4, nestingDepth: 10 };
const event = bytesField(11, bytesField(2, "event"));
const badLink = bytesField(13, bytesField(1, spanId(1)));

function walk(bytes: Uint8Array) {
  const walked = createWalkedRequest(LIMITS);
  walkRequest(walked, bytes);
  return walked;
}

test.each([
  { name: "only plain spans", spans: [span(1), span(2), span(3)] },
  { name: "one with an event between plain ones", spans: [span(1), span(2, event), span(3)] },
  { name: "fields that are plain before and after an event", spans: [span(1, event, event)] },
  { name: "an invalid link after plain fields", spans: [span(1), span(2, badLink), span(3)] },
  { name: "an empty span", spans: [bytesField(2), span(1)] },
  { name: "a span without a trace id", spans: [bytesField(2, bytesField(2, spanId(1))), span(1)] },
  {
    name: "a trace id that a later one replaces",
    spans: [span(1, bytesField(1, Array<number>(16).fill(0))), span(2)],
  },
  { name: "as many spans as allowed", spans: [span(1), span(2, event), span(3), span(4)] },
])("the outcome is that of the reference walk: $name", ({ spans }) => {
  const bytes = request(resourceSpans("shop", ...spans), resourceSpans("shop", span(9)));
  const oneScope = request(resourceSpans("shop", ...spans));

  expect(answerOf(walk(oneScope))).toEqual(referenceWalk(oneScope, LIMITS));
  expect(answerOf(walk(bytes))).toEqual(referenceWalk(bytes, LIMITS));
});

test("rejected spans count towards the limit, even in a run of plain ones", () => {
  const spans = [span(1, badLink), span(2), span(3), span(4), span(5)];

  const walked = walk(request(resourceSpans("shop", ...spans)));

  expect(walked.fault).toBe(TOO_MANY_SPANS);
  expect(walked.spanCount).toBe(3);
});

test("the end of the plain spans of one request does not affect the next", () => {
  const walked = createWalkedRequest(LIMITS);
  walkRequest(walked, request(resourceSpans("shop", span(1), span(2), span(3, event))));
  const bytes = request(resourceSpans("shop", bytesField(2, spanBody(1).slice(18))));

  walkRequest(walked, bytes);

  expect(answerOf(walked)).toEqual(referenceWalk(bytes, LIMITS));
  expect(walked.rejectedSpans).toBe(1);
});

// The length of this span has three bytes, the last of which is 0x0a. Read as two bytes, it would
// be followed by a plain span: trace id (0x0a 0x10 ...), span id, and many kinds.
test("a length of three bytes is not taken for one of two", () => {
  const lengthBytes = 0x0a << 14;
  const kinds = Array<number[]>(Math.ceil(lengthBytes / 2)).fill(varintField(6, 2));
  const afterTag = [0x10, ...traceId(1), ...bytesField(2, spanId(1)), ...kinds.flat()];
  const body = afterTag.slice(0, lengthBytes);
  const bytes = request(resourceSpans("shop", [...tag(2, 2), ...varint(lengthBytes), ...body]));

  expect(walk(bytes).fault).toBe(FIELD_OF_WRONG_TYPE);
});

// Likewise, the length of this attribute has two bytes, the second of which would be a key's tag.
test("a length of two bytes is not taken for one of one", () => {
  const afterLength = attribute("k".repeat(11), "v".repeat(111)).slice(1);
  const counts = Array<number[]>(640).fill(varintField(4, 0));
  const plainEvent = bytesField(11, [0x1a, 0x80, 0x0a], afterLength, counts.flat());

  const walked = walk(request(resourceSpans("shop", span(1, plainEvent))));

  expect(walked.fault).toBe(BAD_FIELD_TAG);
});

test("a request of plain spans in plain order has no fault and no rejected span", () => {
  const walked = walk(request(resourceSpans("shop", span(1), span(2))));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 2, rejectedSpans: 0 });
});

// The name of a plain span is unique and can be found without reading all fields.
test.each([
  { name: "all of them", spans: [span(1), span(2)], plainSpans: 2 },
  { name: "none with an event", spans: [span(1), span(2, event)], plainSpans: 1 },
  { name: "none with a second name", spans: [span(1, bytesField(5, "b"))], plainSpans: 0 },
  { name: "none whose trace id is not first", spans: [odd(3), span(4)], plainSpans: 1 },
])("plain spans are counted: $name", ({ spans, plainSpans }) => {
  const walked = walk(request(resourceSpans("shop", ...spans)));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: spans.length, plainSpans });
});

function odd(number: number): number[] {
  return bytesField(2, bytesField(5, "name"), spanBody(number));
}

test.each([
  { name: "after the identifiers", before: [] },
  { name: "after a parent", before: bytesField(4, spanId(9)) },
  { name: "after a trace state", before: bytesField(3, "a=b") },
  { name: "after both", before: [...bytesField(4, spanId(9)), ...bytesField(3, "a=b")] },
])("the name of a plain span is found $name", ({ before }) => {
  const ids = [...bytesField(1, traceId(1)), ...bytesField(2, spanId(1))];
  const body = [...ids, ...before, ...bytesField(5, "orders")];

  const at = plainNameAt(Uint8Array.from([7, 7, ...body]), 2, body.length);

  expect([7, 7, ...body].slice(at, at + 7)).toEqual([6, ...Buffer.from("orders")]);
});

test.each([
  { name: "if it has none", after: [] },
  { name: "if other fields come first", after: [...varintField(6, 2), ...bytesField(5, "orders")] },
])("the name of a plain span is not found $name", ({ after }) => {
  const body = [...bytesField(1, traceId(1)), ...bytesField(2, spanId(1)), ...after];

  // The bytes after the span in the ring look like a name.
  expect(plainNameAt(Uint8Array.from([...body, 0x2a, 1, 0x61]), 0, body.length)).toBe(0);
});
