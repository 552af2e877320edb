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

// Goal: runs of plain spans are accepted in one go, with the same outcome as one by one.
// Method: the reference walk, which has no such path, says what the outcome is.

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
  { name: "an invalid link behind plain fields", spans: [span(1), span(2, badLink), span(3)] },
  { name: "an empty span", spans: [bytesField(2), span(1)] },
  { name: "a span without a trace id", spans: [bytesField(2, bytesField(2, spanId(1))), span(1)] },
  {
    name: "a trace id that a later one overrules",
    spans: [span(1, bytesField(1, Array<number>(16).fill(0))), span(2)],
  },
  { name: "as many as there may be", spans: [span(1), span(2, event), span(3), span(4)] },
])("$name: the outcome is the reference walk's", ({ spans }) => {
  const bytes = request(resourceSpans("shop", ...spans), resourceSpans("shop", span(9)));
  const oneScope = request(resourceSpans("shop", ...spans));

  expect(answerOf(walk(oneScope))).toEqual(referenceWalk(oneScope, LIMITS));
  expect(answerOf(walk(bytes))).toEqual(referenceWalk(bytes, LIMITS));
});

test("rejected spans count among those there may be, also in a run of plain ones", () => {
  const spans = [span(1, badLink), span(2), span(3), span(4), span(5)];

  const walked = walk(request(resourceSpans("shop", ...spans)));

  expect(walked.fault).toBe(TOO_MANY_SPANS);
  expect(walked.spanCount).toBe(3);
});

test("where one request stopped being plain means nothing to the next one", () => {
  const walked = createWalkedRequest(LIMITS);
  walkRequest(walked, request(resourceSpans("shop", span(1), span(2), span(3, event))));
  const bytes = request(resourceSpans("shop", bytesField(2, spanBody(1).slice(18))));

  walkRequest(walked, bytes);

  expect(answerOf(walked)).toEqual(referenceWalk(bytes, LIMITS));
  expect(walked.rejectedSpans).toBe(1);
});

// The length of this span takes three bytes, the last of them 0x0a. Whoever takes two for all of it
// sees a plain span from there on: trace id (0x0a 0x10 ...), span id, and many kinds.
test("a length of three bytes is not taken for one of two", () => {
  const lengthBytes = 0x0a << 14;
  const kinds = Array<number[]>(Math.ceil(lengthBytes / 2)).fill(varintField(6, 2));
  const afterTag = [0x10, ...traceId(1), ...bytesField(2, spanId(1)), ...kinds.flat()];
  const body = afterTag.slice(0, lengthBytes);
  const bytes = request(resourceSpans("shop", [...tag(2, 2), ...varint(lengthBytes), ...body]));

  expect(walk(bytes).fault).toBe(FIELD_OF_WRONG_TYPE);
});

// Likewise: the length of this attribute takes two bytes, the second of which would be a key's tag.
test("a length of two bytes is not taken for one of one", () => {
  const afterLength = attribute("k".repeat(11), "v".repeat(111)).slice(1);
  const counts = Array<number[]>(640).fill(varintField(4, 0));
  const plainEvent = bytesField(11, [0x1a, 0x80, 0x0a], afterLength, counts.flat());

  const walked = walk(request(resourceSpans("shop", span(1, plainEvent))));

  expect(walked.fault).toBe(BAD_FIELD_TAG);
});

test("a request of plain spans in plain order has no fault and no span rejected", () => {
  const walked = walk(request(resourceSpans("shop", span(1), span(2))));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 2, rejectedSpans: 0 });
});

// What a plain span promises is that its one name can be found without a look at all its fields.
test.each([
  { name: "all of them", spans: [span(1), span(2)], plainSpans: 2 },
  { name: "none that has an event", spans: [span(1), span(2, event)], plainSpans: 1 },
  { name: "none that has a second name", spans: [span(1, bytesField(5, "b"))], plainSpans: 0 },
  { name: "none without a trace id in front", spans: [odd(3), span(4)], plainSpans: 1 },
])("plain spans are counted: $name", ({ spans, plainSpans }) => {
  const walked = walk(request(resourceSpans("shop", ...spans)));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: spans.length, plainSpans });
});

function odd(number: number): number[] {
  return bytesField(2, bytesField(5, "name"), spanBody(number));
}

test.each([
  { name: "behind the identifiers", before: [] },
  { name: "behind a parent", before: bytesField(4, spanId(9)) },
  { name: "behind a trace state", before: bytesField(3, "a=b") },
  { name: "behind both", before: [...bytesField(4, spanId(9)), ...bytesField(3, "a=b")] },
])("the name of a plain span is found $name", ({ before }) => {
  const ids = [...bytesField(1, traceId(1)), ...bytesField(2, spanId(1))];
  const body = [...ids, ...before, ...bytesField(5, "orders")];

  const at = plainNameAt(Uint8Array.from([7, 7, ...body]), 2, body.length);

  expect([7, 7, ...body].slice(at, at + 7)).toEqual([6, ...Buffer.from("orders")]);
});

test.each([
  { name: "when there is none", after: [] },
  { name: "when others come first", after: [...varintField(6, 2), ...bytesField(5, "orders")] },
])("the name of a plain span is not found $name", ({ after }) => {
  const body = [...bytesField(1, traceId(1)), ...bytesField(2, spanId(1)), ...after];

  // What follows a span in the ring looks like a name.
  expect(plainNameAt(Uint8Array.from([...body, 0x2a, 1, 0x61]), 0, body.length)).toBe(0);
});
