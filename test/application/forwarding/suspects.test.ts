import { expect, test } from "bun:test";
import {
  isInvalid,
  type Piece,
  type Suspects,
  takeApart,
} from "../../../src/application/forwarding/suspects.ts";
import { request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

/** Returns a span for each mark: `x` has a name that is not UTF-8, a dot has a valid one. */
function suspectsOf(pattern: string): Suspects {
  const spans = [...pattern].map((mark, at) =>
    mark === "x" ? span(at, bytesField(3, [0xff])) : span(at),
  );
  return { request: request(resourceSpans("shop", ...spans)), isStrict: false };
}

const whole = (pattern: string): Piece => piece(0, pattern.length, false);
const piece = (first: number, end: number, isCut = true): Piece => {
  return { runs: [{ first, end }], isCut };
};

test("a piece without suspects is halved, and a single span is sent alone once", () => {
  const suspects = suspectsOf("...");

  expect(takeApart(suspects, whole("..."))).toEqual([piece(0, 2), piece(2, 3)]);
  expect(takeApart(suspects, piece(1, 2, false))).toEqual([piece(1, 2)]);
  expect(takeApart(suspects, piece(1, 2))).toEqual([]);
  expect(suspects.isStrict).toBe(false);
});

test("suspects are separated from the others, which are sent first", () => {
  const suspects = suspectsOf("x..x");

  expect(takeApart(suspects, whole("x..x"))).toEqual([
    piece(1, 3),
    {
      runs: [
        { first: 0, end: 1 },
        { first: 3, end: 4 },
      ],
      isCut: true,
    },
  ]);
});

test("suspects are halved until one is refused alone; then the rest is not divided", () => {
  const suspects = suspectsOf("xxxx");

  const before = takeApart(suspects, piece(0, 4));
  const alone = takeApart(suspects, piece(0, 1));
  const after = takeApart(suspects, piece(1, 4));

  expect([before, alone, after]).toEqual([[piece(0, 2), piece(2, 4)], [], []]);
});

test("spans are invalid only if each of them is", () => {
  const suspects = suspectsOf("xx.");

  const found = [piece(0, 2), piece(1, 3), piece(2, 3)].map(({ runs }) =>
    isInvalid(suspects, runs),
  );

  expect(found).toEqual([true, false, false]);
});
