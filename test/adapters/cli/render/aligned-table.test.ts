import { expect, test } from "bun:test";
import { COLOURED, PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { alignedTable, type Column } from "../../../../src/adapters/cli/render/aligned-table.ts";
import { HOSTILE_NAME, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

const TABLE: Column[] = [
  { heading: "NAME", cells: ["GET /", "a name of 24 characters."], flexible: 8 },
  { heading: "COUNT", cells: ["1", "1,234"], isNumber: true },
];

test("text is aligned on the left, and numbers on the right", () => {
  expect(alignedTable(TABLE, 80, PLAIN)).toEqual([
    "NAME                      COUNT",
    "GET /                         1",
    "a name of 24 characters.  1,234",
  ]);
});

test.each([
  { columns: 20, last: "a name of 24…  1,234" },
  { columns: 10, last: "a name …  1,234" },
])("the flexible column is shortened to $columns columns, or to its minimum", (given) => {
  expect(alignedTable(TABLE, given.columns, PLAIN).at(-1)).toBe(given.last);
});

test("colours do not change the text, and texts of a peer are escaped", () => {
  const table = [{ heading: "NAME", cells: [HOSTILE_NAME], paint: COLOURED.bad }];

  const lines = alignedTable(table, 80, COLOURED);

  expect(lines.map((line) => Bun.stripANSI(line))).toEqual(
    alignedTable(
      table.map(({ heading, cells }) => ({ heading, cells })),
      80,
      PLAIN,
    ),
  );
  expect(
    alignedTable([{ heading: "NAME", cells: [HOSTILE_NAME] }], 80, PLAIN).join("\n"),
  ).not.toMatch(UNSAFE_TEXT);
});
