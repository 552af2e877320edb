import { expect, test } from "bun:test";
import { environmentFile } from "../../../scripts/release/environment-file.ts";
import { readConfig } from "../../../src/config/config.ts";
import { VARIABLE_NAMES } from "../../../src/config/variables.ts";

const LINES = environmentFile().split("\n");
const ASSIGNMENT = /^#([A-Z][A-Z_]+)=(.*)$/;

/** Returns the variables that the file sets once their lines are no longer comments. */
function uncommented(): Record<string, string> {
  const matches = LINES.map((line) => ASSIGNMENT.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(matches.map(([, name, value]) => [name, value]));
}

test("the file sets nothing, and offers every variable", () => {
  expect(LINES.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
  expect(Object.keys(uncommented())).toEqual([...VARIABLE_NAMES]);
});

test("without their comment signs, its lines configure what applies without them", () => {
  const unit = { DATA_DIR: "/var/lib/spanring/data" };

  const [with_, without] = [uncommented(), unit].map((env) => readConfig(env));

  expect(with_).toMatchObject({ ok: true, settings: { DATA_DIR: unit.DATA_DIR } });
  expect(with_).toEqual(without!);
});

test("no line is longer than 100 columns", () => {
  expect(LINES.filter((line) => line.length > 100)).toEqual([]);
});
