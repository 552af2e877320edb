import { expect, test } from "bun:test";
import { findSpans, nextMatch } from "../../../src/page/model/find-spans.ts";
import { traceTree } from "../../../src/page/model/trace-tree.ts";

const value = (stringValue: string) => ({ stringValue });
const resource = { attributes: [{ key: "service.name", value: value("Checkout") }] };
const TREE = traceTree({
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          spans: [
            { traceId: "t", spanId: "a1", name: "GET /cart", status: { message: "Timed out" } },
            {
              traceId: "t",
              spanId: "b2",
              parentSpanId: "a1",
              name: "SELECT",
              attributes: [{ key: "db.system", value: value("postgresql") }],
              events: [{ name: "retry", attributes: [{ key: "cause", value: value("lock") }] }],
              links: [{ traceId: "ffee", spanId: "c3", attributes: [{ key: "k", value: {} }] }],
            },
          ],
        },
      ],
    },
  ],
});

test.each([
  ["checkout", ["a1", "b2"]],
  ["get /", ["a1"]],
  ["timed", ["a1"]],
  ["A1", ["a1"]],
  ["db.system=POST", ["b2"]],
  ["retry", ["b2"]],
  ["cause=lock", ["b2"]],
  ["ffee", ["b2"]],
  ["c3", ["b2"]],
  ["k=", ["b2"]],
  ["nowhere", []],
])("%p is found in %j", (text, found) => {
  expect(findSpans(TREE, text)).toEqual(found);
});

test.each([
  [undefined, 1, "a"],
  [undefined, -1, "c"],
  ["a", 1, "b"],
  ["c", 1, "a"],
  ["a", -1, "c"],
  ["elsewhere", 1, "a"],
] as const)("after %p in steps of %d comes %p", (selected, step, next) => {
  expect(nextMatch(["a", "b", "c"], selected, step)).toBe(next);
});

test("without a match, none comes next", () => {
  expect(nextMatch([], "a", 1)).toBeUndefined();
});
