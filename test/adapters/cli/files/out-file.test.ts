import { describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  checkOutFile,
  openOutFile,
  writeOutFile,
} from "../../../../src/adapters/cli/files/out-file.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const TEXT = "spans ".repeat(50_000);

async function writeInTwo(path: string): Promise<void> {
  const file = await openOutFile(path);
  await file.write(TEXT.slice(0, 100_000));
  await file.write(TEXT.slice(100_000));
  await file.finish();
}

const WRITERS = [
  { name: "written piece by piece", write: writeInTwo },
  { name: "written at once", write: (path: string) => writeOutFile(path, TEXT) },
];

function pipeIn(folder: string): string {
  const path = join(folder, "pipe");
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  return path;
}

describe.each(WRITERS)("output $name", ({ write }) => {
  test("reaches the reader of a pipe, and leaves the pipe in place", async () => {
    const folder = temporaryFolder();
    const pipe = pipeIn(folder);
    await using reader = Bun.spawn(["cat", pipe]);
    const read = reader.stdout.text();

    await write(pipe);

    expect(await read).toBe(TEXT);
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(["pipe"]);
  });

  test("reaches the reader of a pipe behind a link", async () => {
    const folder = temporaryFolder();
    const link = join(folder, "link");
    symlinkSync(pipeIn(folder), link);
    await using reader = Bun.spawn(["cat", link]);
    const read = reader.stdout.text();

    await write(link);

    expect(await read).toBe(TEXT);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test.each([
    { name: "an existing file", before: "old" },
    { name: "a new file", before: undefined },
  ])("reaches $name through links, and leaves the links in place", async ({ before }) => {
    const folder = temporaryFolder();
    const [far, file] = [join(folder, "far"), join(folder, "far", "file")];
    mkdirSync(far);
    symlinkSync(join("far", "middle"), join(folder, "link"));
    symlinkSync("file", join(far, "middle"));
    for (const text of [before ?? []].flat()) writeFileSync(file, text);

    await write(join(folder, "link"));

    expect(readFileSync(file, "utf8")).toBe(TEXT);
    expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(far, "middle")).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(["far", "link"]);
    expect(readdirSync(far).toSorted()).toEqual(["file", "middle"]);
  });

  test("is refused through circular links, and leaves the links in place", async () => {
    const path = join(temporaryFolder(), "circle");
    symlinkSync("circle", path);

    const failure: unknown = await (async () => await write(path))().catch(
      (error: unknown) => error,
    );

    expect(String(failure)).toContain(`cannot write "${path}": too many symbolic links`);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });
});

test("the check of a pipe needs no reader, and leaves the pipe in place", () => {
  const folder = temporaryFolder();
  const pipe = pipeIn(folder);

  checkOutFile(pipe);

  expect(lstatSync(pipe).isFIFO()).toBe(true);
  expect(readdirSync(folder)).toEqual(["pipe"]);
});

test("the check follows links, and leaves no file", () => {
  const folder = temporaryFolder();
  const link = join(folder, "link");
  symlinkSync(join(folder, "no-such-folder", "file"), link);

  expect(() => checkOutFile(link)).toThrow("no such file or folder");
  expect(readdirSync(folder)).toEqual(["link"]);
});

test("abandoned output leaves a pipe in place", async () => {
  const folder = temporaryFolder();
  const pipe = pipeIn(folder);
  await using reader = Bun.spawn(["cat", pipe]);
  const file = await openOutFile(pipe);
  await file.write("some");

  await file.abandon();

  expect(await reader.stdout.text()).toBe("some");
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});
