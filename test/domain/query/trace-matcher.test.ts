import { expect, test } from "bun:test";
import { MARK_BITS, tracesMatcher } from "../../../src/domain/query/trace-matcher.ts";
import { request, resourceSpans, span, traceId } from "../../support/requests/request-bytes.ts";
import { locationsOf } from "../../support/requests/matched-spans.ts";

const hexOf = (trace: number) => Uint8Array.from(traceId(trace)).toHex();

test("spans of the given traces match, and their tails are marked", () => {
  const spans = [1, 2, 0x10001, 3].map((number) => span(number));
  const matcher = tracesMatcher([hexOf(1), hexOf(3)]);

  const locations = locationsOf(request(resourceSpans("shop", ...spans)));
  matcher.reset();

  expect(locations.map((location) => matcher.matches(location))).toEqual([
    true,
    false,
    false,
    true,
  ]);
  const marks = locations.map(({ traceTail }) => matcher.tailMarks![traceTail & MARK_BITS]);
  expect(marks.every((mark, index) => mark === 1 || [1, 2].includes(index))).toBe(true);
  expect(matcher.tailMarks!.reduce((sum, mark) => sum + mark, 0)).toBeLessThanOrEqual(2);
});

test("without traces, no span matches", () => {
  const [location] = locationsOf(request(resourceSpans("shop", span(1))));

  expect(tracesMatcher([]).matches(location!)).toBe(false);
});
