import { expect, test } from "bun:test";
import {
  earliestStartMs,
  type ValidSpans,
  validSpansOf,
} from "../../../src/adapters/otlp-files/file-request.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { requestOfEmptySpans } from "../../support/requests/numbered-requests.ts";
import { spanDigests } from "../../support/oracles/span-digests.ts";
import { bytesField, fixed64Field } from "../../support/requests/wire-bytes.ts";

const start = (unixMs: bigint) => fixed64Field(7, unixMs * 1_000_000n);

test.each([
  { name: "the minimum of the set start times", starts: [9n, 5n, 7n], earliest: 5 },
  { name: "independent of unset start times of 0", starts: [9n, 0n], earliest: 9 },
  { name: "undefined if no start time is set", starts: [0n], earliest: undefined },
])("the earliest start is $name", ({ starts, earliest }) => {
  const spans = starts.map((unixMs, at) => span(at + 1, start(unixMs)));

  expect(earliestStartMs(request(resourceSpans("shop", ...spans)))).toBe(earliest);
});

test("a request of valid spans stays as it is", () => {
  const whole = requestOf(3);

  const valid = validSpansOf(whole);

  expect(valid).toEqual({ request: whole, spanCount: 3, rejectedSpans: 0, message: "" });
  expect((valid as ValidSpans).request).toBe(whole);
});

test("invalid spans are left out, and the others keep their bytes", () => {
  const invalid = bytesField(2, bytesField(1, [1, 2, 3]));

  const mixed = request(resourceSpans("shop", span(1), invalid, span(2)));
  const found = validSpansOf(mixed) as ValidSpans;

  expect(spanDigests([found.request])).toEqual(spanDigests([requestOf(2)]));
  expect(found).toMatchObject({ spanCount: 2, rejectedSpans: 1 });
  expect(found.message).toStartWith("1 span was rejected: 1 x ");
});

test("a request without a valid span becomes empty", () => {
  const invalid = bytesField(2, bytesField(1, [1, 2, 3]));

  const found = validSpansOf(request(resourceSpans("shop", invalid)));

  expect(found).toMatchObject({ request: new Uint8Array(), spanCount: 0, rejectedSpans: 1 });
});

test("a request with more spans than can be checked is none", () => {
  const found = validSpansOf(requestOfEmptySpans(1_001));

  expect(found).toMatch(/^at byte \d+ of it: more spans than one request may carry$/);
});
