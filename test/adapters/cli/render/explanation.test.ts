import { expect, test } from "bun:test";
import { PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { explanationLines } from "../../../../src/adapters/cli/render/explanation.ts";

const miss = {
  traceId: "ab".repeat(16),
  spanId: "cd".repeat(8),
  name: "GET /\u001b[2J",
  service: "shop",
  count: 3,
  differences: [{ condition: "name=x\u001b", found: "y\u001b" }],
};

test("a near miss has its number, and its texts are escaped", () => {
  expect(explanationLines({ nearest: [miss], around: [] }, 80, PLAIN)).toEqual([
    "nearest: GET /\\x1b[2J (shop), and 2 like it",
    "  expected name=x\\x1b; found y\\x1b",
  ]);
});

test("a span without differences is an example", () => {
  const example = { ...miss, count: 1, differences: [] };

  expect(explanationLines({ nearest: [example], around: [] }, 80, PLAIN)).toEqual([
    "such as: GET /\\x1b[2J (shop)",
  ]);
});

test("without near misses, the explanation is empty", () => {
  expect(explanationLines({ nearest: [], around: [] }, 80, PLAIN)).toEqual([]);
});
