import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { AssertionError } from "../../../src/domain/assert.ts";
import { cutRequest } from "../../../src/domain/wire/assemble.ts";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { request, requestOf, span } from "../../support/requests/request-bytes.ts";
import {
  encodeKept,
  encodeShape,
  requestShapeArbitrary,
  spansOf,
} from "../../support/requests/request-shape.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

const ofShop = (...spans: number[][]) => bytesField(1, bytesField(1, "shop"), scope("a", ...spans));
const ofCart = (...spans: number[][]) => bytesField(1, bytesField(1, "cart"), scope("a", ...spans));
const scope = (name: string, ...spans: number[][]) =>
  bytesField(2, bytesField(1, bytesField(1, name)), ...spans);

test.each([
  {
    name: "from the middle of a scope",
    whole: request(ofShop(span(1), span(2), span(3), span(4))),
    run: { first: 1, end: 3 },
    cut: request(ofShop(span(2), span(3))),
  },
  {
    name: "across the border of two resources",
    whole: request(ofShop(span(1), span(2)), ofCart(span(3))),
    run: { first: 1, end: 3 },
    cut: request(ofShop(span(2)), ofCart(span(3))),
  },
  {
    name: "across the border of two scopes, which both keep their fields",
    whole: request(bytesField(1, scope("a", span(1), span(2)), scope("b", span(3), span(4)))),
    run: { first: 1, end: 3 },
    cut: request(bytesField(1, scope("a", span(2)), scope("b", span(3)))),
  },
  {
    name: "after messages without spans, which are omitted",
    whole: request(bytesField(1), bytesField(1, scope("a")), ofShop(span(1))),
    run: { first: 0, end: 1 },
    cut: request(ofShop(span(1))),
  },
  {
    name: "with the fields of the request itself",
    whole: request(varintField(30, 1), bytesField(1, scope("a", span(1), span(2)))),
    run: { first: 1, end: 2 },
    cut: request(varintField(30, 1), bytesField(1, scope("a", span(2)))),
  },
])("spans are cut out $name", ({ whole, run, cut }) => {
  expect(cutRequest(whole, run).toHex()).toBe(cut.toHex());
});

test("several runs are cut out in order, across scopes and resources", () => {
  const whole = request(ofShop(span(1), span(2), span(3)), ofCart(span(4), span(5)));
  const runs = [
    { first: 0, end: 1 },
    { first: 2, end: 3 },
    { first: 4, end: 9 },
  ];

  const cut = cutRequest(whole, ...runs);

  expect(cut.toHex()).toBe(request(ofShop(span(1), span(3)), ofCart(span(5))).toHex());
});

test("cutting out no span fails", () => {
  expect(() => cutRequest(requestOf(3), { first: 1, end: 1 })).toThrow(AssertionError);
  expect(() => cutRequest(requestOf(3), { first: 3, end: 4 })).toThrow(AssertionError);
});

const game = fc.record({
  shapes: fc.array(requestShapeArbitrary, { minLength: 1, maxLength: 4 }),
  /** The first and the last span, as fractions of all spans. */
  from: fc.float({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  to: fc.float({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

// Goal: a cut contains exactly the requested spans, each with the fields around it, in the fewest
// bytes.
// Method: several random requests in a row; protobufjs decodes whole and cut, and the expected
// bytes are computed from the tree. The seed is printed.
test("any run of spans that is cut out decodes to those spans", () => {
  let cutCount = 0;
  const property = fc.property(game, ({ shapes, from, to }) => {
    const whole = Uint8Array.from(shapes.flatMap((shape) => Array.from(encodeShape(shape))));
    const joined = { parts: shapes.flatMap(({ parts }) => parts) };
    const spans = spansOf(joined);
    const one = Math.floor(from * spans.length);
    const other = Math.floor(to * spans.length);
    const run = { first: Math.min(one, other), end: Math.max(one, other) + 1 };

    const cut = cutRequest(whole, run);

    const kept = spans.slice(run.first, run.end);
    expect(decodeSpans(cut)).toEqual(decodeSpans(whole).slice(run.first, run.end));
    expect(cut.toHex()).toBe(encodeKept(joined, new Set(kept)).toHex());
    cutCount += kept.length < spans.length ? 1 : 0;
  });

  fc.assert(property, { numRuns: fuzzRuns(500) });
  expect(cutCount).toBeGreaterThan(300);
});
