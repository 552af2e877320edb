import { expect, test } from "bun:test";
import { unmetLines } from "../../src/testing/unmet-text.ts";

const near = { spanId: "b", name: "GET /cart", service: "shop", count: 3 };

function requestOf(...spans: object[]): object {
  return { resourceSpans: [{ scopeSpans: [{ spans }] }] };
}

test("the nearest spans are listed, and the first is marked in its tree", () => {
  const differences = [{ condition: "name=x", found: "GET /cart" }];
  const spans = requestOf(
    { spanId: "c", parentSpanId: "b", name: "SELECT" },
    { spanId: "a", name: "root" },
    { spanId: "b", parentSpanId: "a", name: "GET /cart" },
  );

  expect(unmetLines({ detail: "unmet", nearest: [{ ...near, differences }], spans })).toEqual([
    "unmet",
    "nearest: GET /cart (shop), and 2 like it",
    "  expected name=x; found GET /cart",
    '  "root"',
    '→   "GET /cart"',
    '      "SELECT"',
  ]);
});

test("spans whose parents form a cycle are drawn once", () => {
  const spans = requestOf(
    { spanId: "a", parentSpanId: "b" },
    { spanId: "b", parentSpanId: "a", name: "b" },
  );

  expect(unmetLines({ detail: "unmet", spans })).toEqual(["unmet", '  ""', '    "b"']);
});

test("a response without spans has only its detail", () => {
  expect(unmetLines({ detail: "unmet", spans: { resourceSpans: [{}] } })).toEqual(["unmet"]);
});
