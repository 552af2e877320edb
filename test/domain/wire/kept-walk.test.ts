import { expect, test } from "bun:test";
import { keepWalk, restoreWalk } from "../../../src/domain/wire/kept-walk.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import {
  createWalkedRequest,
  type WalkedRequest,
} from "../../../src/domain/wire/walked-request.ts";
import { attribute, request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const LIMITS = { spansPerRequest: 20, nestingDepth: 100 };
const LONG = bytesField(9, attribute("text", "x".repeat(900)));
const bad = bytesField(2, bytesField(5, "no identifiers"));

const walkOf = (bytes: Uint8Array): WalkedRequest => {
  const walked = createWalkedRequest(LIMITS);
  walkRequest(walked, bytes);
  return walked;
};

/** Returns what is valid after a walk: the columns as far as they have rows. */
function resultOf(walked: WalkedRequest) {
  const { spanCount, contextCount, spanBytes, plainSpans, rejectedSpans, fault } = walked;
  const spans = ["spanOffset", "spanLength", "spanContext", "spanTraceId"] as const;
  const contexts = ["resourceOffset", "resourceLength", "scopeOffset", "scopeLength"] as const;
  const runs = ["spansStart", "spansEnd"] as const;
  return {
    counts: { spanCount, contextCount, spanBytes, plainSpans, rejectedSpans, fault },
    spans: spans.map((column) => [...walked[column].subarray(0, spanCount)]),
    contexts: [...contexts, ...runs].map((column) => [...walked[column].subarray(0, contextCount)]),
  };
}

const longSpan = (number: number) => span(number, LONG);

test.each([
  { name: "one span", bytes: request(resourceSpans("shop", longSpan(1))) },
  {
    name: "several services",
    bytes: request(
      resourceSpans("shop", longSpan(1), longSpan(2)),
      resourceSpans("till", longSpan(3)),
      resourceSpans("till", longSpan(4), longSpan(5), longSpan(6)),
    ),
  },
  { name: "no span", bytes: new Uint8Array(0) },
])("a restored walk of $name is the walk that was kept", ({ bytes }) => {
  const walked = walkOf(bytes);
  const kept = keepWalk(walked);
  const other = request(resourceSpans("other", longSpan(7), bad, longSpan(8)));
  walkRequest(walked, other);
  const between = walked.rejectedSpans;

  restoreWalk(walked, kept!, bytes);

  expect(between).toBe(1);
  expect(walked.request).toBe(bytes);
  expect(resultOf(walked)).toEqual(resultOf(walkOf(bytes)));
});

/** Returns the size of a request with one span of this text, and whether its walk is kept. */
function sizeWith(textLength: number) {
  const text = bytesField(9, attribute("text", "x".repeat(textLength)));
  const bytes = request(resourceSpans("s", span(1, text)));
  return { bytes: bytes.length, isKept: keepWalk(walkOf(bytes)) !== undefined };
}

test("a walk whose rows would be larger than an eighth of the request is not kept", () => {
  const sizes = Array.from({ length: 400 }, (_, textLength) => sizeWith(textLength));

  // One span has four columns and one context six, of four bytes each.
  expect(sizes.filter(({ isKept }) => isKept)).toEqual(sizes.filter(({ bytes }) => bytes >= 320));
  expect(sizes[0]!.isKept).toBe(false);
  expect(sizes.at(-1)!.isKept).toBe(true);
});
