import { expect, test } from "bun:test";
import { earliestStartMs } from "../../../src/adapters/otlp-files/file-request.ts";
import { request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { fixed64Field } from "../../support/requests/wire-bytes.ts";

const start = (unixMs: bigint) => fixed64Field(7, unixMs * 1_000_000n);

test.each([
  { name: "the minimum of the set start times", starts: [9n, 5n, 7n], earliest: 5 },
  { name: "independent of unset start times of 0", starts: [9n, 0n], earliest: 9 },
  { name: "undefined if no start time is set", starts: [0n], earliest: undefined },
])("the earliest start is $name", ({ starts, earliest }) => {
  const spans = starts.map((unixMs, at) => span(at + 1, start(unixMs)));

  expect(earliestStartMs(request(resourceSpans("shop", ...spans)))).toBe(earliest);
});
