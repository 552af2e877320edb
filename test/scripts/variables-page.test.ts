import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { VARIABLES_PAGE, variablesPage } from "../../scripts/variables-page.ts";
import { VARIABLE_NAMES } from "../../src/config/variables.ts";

test("src/config/README.md is up to date; bun scripts/variables-page.ts writes it", () => {
  expect(readFileSync(VARIABLES_PAGE, "utf8")).toBe(variablesPage());
});

test("every variable has a row with a phrase and a range", () => {
  const rows = variablesPage()
    .split("\n")
    .filter((line) => /^\| `[A-Z]/.test(line));
  const cells = rows.map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));

  expect(cells.map(([, name]) => name)).toEqual(VARIABLE_NAMES.map((name) => `\`${name}\``));
  expect(cells.filter(([, , , meaning, value]) => !meaning!.includes(" ") || value === "")).toEqual(
    [],
  );
});
