import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { smallProject } from "../support/running/small-project.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const project = await smallProject(join(temporaryFolder(), "a project"));

/** Tests of this file build on one another: each leaves behind a program that is up to date. */
const BUILDING = "spanring: building dist/spanring";

test("the first start builds the program, says so, and runs it with the arguments", async () => {
  const done = await project.start(["--one", "two words"]);

  expect(done).toMatchObject({ exitCode: 0, stdout: "first --one two words\n" });
  expect(done.stderr).toContain(BUILDING);
});

test("the next start runs it and nothing else", async () => {
  const done = await project.start();

  expect(done).toEqual({ exitCode: 0, stdout: "first\n", stderr: "" });
});

test("it works from any working directory", async () => {
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
  { name: "a program that is gone", change: () => rmSync(join(project.folder, "dist/spanring")) },
])("$name makes it build again", async ({ change }) => {
  await change();

  const first = await project.start();
  const second = await project.start();

  expect(first.stderr).toContain(BUILDING);
  expect(first).toMatchObject({ exitCode: 0, stdout: "second\n" });
  expect(second.stderr).toBe("");
});

test("a build that fails runs nothing, not even the program of before", async () => {
  project.write("src/word.ts", "this is no program");

  const first = await project.start();
  const second = await project.start();

  expect(first).toMatchObject({ exitCode: 1, stdout: "" });
  expect(first.stderr).toContain("spanring: the build failed\n");
  expect(second).toMatchObject({ exitCode: 1, stdout: "" });
});
