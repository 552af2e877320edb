import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isatty } from "node:tty";
import { expect, test } from "bun:test";
import { isInForeground } from "../../../../src/adapters/cli/run/foreground.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

test.each([
  { name: "the terminal's group", stat: "12 (spanring) S 9 11 9 34817 11 4194304", is: true },
  { name: "another group", stat: "12 (spanring) S 9 11 9 34817 15 4194304", is: false },
  { name: "no terminal", stat: "12 (spanring) S 9 11 9 0 -1 4194304", is: false },
  { name: "a name of its own making", stat: "12 (a) S 1 2 3) S 9 11 9 34817 11 4", is: true },
  { name: "nothing that can be read", stat: "", is: false },
])("a process of $name is in front of a terminal: $is", ({ stat, is }) => {
  const file = join(temporaryFolder(), "stat");
  writeFileSync(file, stat);

  expect(isInForeground(file)).toBe(is);
});

test("where the system does not tell, whoever has a terminal is in front of it", () => {
  const hasTerminal = [0, 1, 2].some((fileDescriptor) => isatty(fileDescriptor));

  expect(isInForeground("/no/such/file")).toBe(hasTerminal);
});
