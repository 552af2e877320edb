import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { smallProject } from "../support/running/small-project.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const project = await smallProject(join(temporaryFolder(), "a project"));

/** The tests of this file depend on each other: each leaves a program that is up to date. */
const BUILDING = "spanring: building dist/spanring";

test("the first start prints that it builds the program, and runs it with arguments", async () => {
  const done = await project.start(["--one", "two words"]);

  expect(done).toMatchObject({ exitCode: 0, stdout: "first --one two words\n" });
  expect(done.stderr).toContain(BUILDING);
});

test("the next start only runs the program", async () => {
  const done = await project.start();

  expect(done).toEqual({ exitCode: 0, stdout: "first\n", stderr: "" });
});

test("a start works from any working directory", async () => {
  const done = await project.start([], "/");

  expect(done).toEqual({ exitCode: 0, stdout: "first\n", stderr: "" });
});

test.each([
  {
    name: "a changed source",
    change: () => project.write("src/word.ts", 'export const word = "second";\n'),
  },
  { name: "a deleted source", change: () => rmSync(join(project.folder, "src/unused.ts")) },
  { name: "a new source", change: () => project.write("src/new.ts", "export {};\n") },
  {
    name: "another package.json",
    change: async () => {
      const file = Bun.file(join(project.folder, "package.json"));
      project.write("package.json", `${await file.text()}\n`);
    },
  },
  { name: "a missing program", change: () => rmSync(join(project.folder, "dist/spanring")) },
])("$name causes another build", async ({ change }) => {
  await change();

  const first = await project.start();
  const second = await project.start();

  expect(first.stderr).toContain(BUILDING);
  expect(first).toMatchObject({ exitCode: 0, stdout: "second\n" });
  expect(second.stderr).toBe("");
});

test("a failed build does not run the previous program", async () => {
  project.write("src/word.ts", "this is no program");

  const first = await project.start();
  const second = await project.start();

  expect(first).toMatchObject({ exitCode: 1, stdout: "" });
  expect(first.stderr).toContain("spanring: the build failed\n");
  expect(second).toMatchObject({ exitCode: 1, stdout: "" });
});
