import { dirname } from "node:path/posix";
import { dependenciesOf, targetOf } from "../../../scripts/structure/import-graph.ts";
import { isSource } from "./repository-files.ts";
import type { RepositoryFile } from "./repository-files.ts";

/** Tests that belong to no single part of `src/`. */
const OWN_FOLDERS = [
  "test/integration/",
  "test/contract/",
  "test/bench/",
  "test/scripts/",
  "test/quirks/",
  "test/attack/",
  "test/fuzz/",
];

/** Returns tests without a counterpart: a test mirrors a file of the same name, or its folder. */
export function testsWithoutCounterpart(files: readonly RepositoryFile[]): string[] {
  const sources = files.filter(({ path }) => path.startsWith("src/")).map(({ path }) => path);
  const folders = new Set(sources.map((path) => dirname(path)).filter((path) => path !== "src"));
  return files
    .map(({ path }) => path)
    .filter((path) => path.endsWith(".test.ts") && !path.startsWith("test/tidy"))
    .filter((path) => !OWN_FOLDERS.some((folder) => path.startsWith(folder)))
    .filter((path) => !folders.has(dirname(path).replace(/^test/, "src")))
    .filter((path) => !sources.includes(path.replace(/^test/, "src").replace(/\.test\.ts$/, ".ts")))
    .map((path) => `${path} mirrors nothing in src/`);
}

/**
 * Returns source files that no test loads, directly or through another file. Coverage counts only
 * files that are loaded.
 */
export function sourcesNoTestLoads(files: readonly RepositoryFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const loaded = new Set<string>();
  const waiting = files.map(({ path }) => path).filter((path) => path.endsWith(".test.ts"));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    if (file === undefined || loaded.has(path) || !path.endsWith(".ts")) continue;
    loaded.add(path);
    waiting.push(...loadedBy(file));
  }
  return files
    .filter((file) => isSource(file) && !loaded.has(file.path) && hasCode(file))
    .map(({ path }) => `${path} is loaded by no test`);
}

function loadedBy(file: RepositoryFile): string[] {
  return dependenciesOf(file)
    .filter(({ isType }) => !isType)
    .flatMap(({ specifier }) => targetOf(file.path, specifier) ?? []);
}

/** Reports whether a file has code besides types. */
function hasCode({ path, text }: RepositoryFile): boolean {
  return (
    new Bun.Transpiler({ loader: path.endsWith("x") ? "tsx" : "ts" }).transformSync(text).trim() !==
    ""
  );
}
