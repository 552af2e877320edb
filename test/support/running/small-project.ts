import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dir, "../../..");

/** The programs of every POSIX machine; the scripts may use no others without checking. */
const USUAL_PROGRAMS =
  "basename cat cksum dirname env find ldd ln mkdir printf rm sed sh sort uname".split(" ");

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A project like this one on its own machine, with the same scripts but a two-line program and its
 * own package, so that everything takes a moment.
 */
export interface SmallProject {
  readonly folder: string;
  write(path: string, text: string): void;
  /** Runs `./scripts/start` to its end. */
  start(args?: readonly string[], cwd?: string): Promise<Finished>;
  /** Runs a script of its own to its end. */
  run(path: string): Promise<Finished>;
}

/**
 * Creates a project in `folder`, on a machine with the usual programs and the given ones, each as
 * the text of a shell script or the path of a program.
 */
export async function smallProject(
  folder: string,
  programs: Readonly<Record<string, string>> = { bun: process.execPath },
): Promise<SmallProject> {
  cpSync(join(ROOT, "scripts"), join(folder, "scripts"), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) writeFile(join(folder, path), text);
  for (const name of USUAL_PROGRAMS) addProgram(folder, name, Bun.which(name) ?? `no-${name}`);
  for (const [name, program] of Object.entries(programs)) addProgram(folder, name, program);
  await run([process.execPath, "install", "--lockfile-only"], folder, folder);
  return {
    folder,
    write: (path, text) => writeFile(join(folder, path), text),
    start: (args = [], cwd = folder) => run([join(folder, "scripts/start"), ...args], folder, cwd),
    run: (path) => run(["/bin/sh", path], folder, folder),
  };
}

/** Adds a program: a shell script is written; any other program is linked. */
function addProgram(folder: string, name: string, program: string): void {
  const path = join(folder, "programs", name);
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  if (program.startsWith("#!")) writeFileSync(path, program, { mode: 0o755 });
  else symlinkSync(program, path);
}

async function run(command: readonly string[], folder: string, cwd: string): Promise<Finished> {
  const env = { ...process.env, PATH: join(folder, "programs"), NO_COLOR: "1" };
  const child = Bun.spawn([...command], { cwd, env, stdout: "pipe", stderr: "pipe" });
  const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
  const [stdout = "", stderr = ""] = await Promise.all(texts);
  return { exitCode: await child.exited, stdout, stderr };
}

function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const FILES = {
  "package.json": JSON.stringify(
    {
      name: "small",
      private: true,
      dependencies: { word: "file:./vendor/word" },
      // The scripts find the pinned version by its key, at any position.
      pinned: { bun: Bun.version },
    },
    undefined,
    2,
  ),
  "bunfig.toml": "",
  "tsconfig.json": "{}",
  "vendor/word/package.json": '{ "name": "word", "version": "1.0.0" }',
  "src/main.ts":
    'import { word } from "./word.ts";\nconsole.log(word, ...process.argv.slice(2));\n',
  "src/word.ts": 'export const word = "first";\n',
  "src/unused.ts": "export {};\n",
};
