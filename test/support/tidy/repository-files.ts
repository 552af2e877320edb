import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "../../..");

/** A file of the repository. */
export interface RepositoryFile {
  /** The path from the root, with `/` between folders. */
  readonly path: string;
  readonly text: string;
}

const IGNORED = [".git/", ...ignoredFolders()];

/** In a linked worktree, `.git` is a file that refers to the main one. */
const GIT_FILE = ".git";

/** Returns all files of the repository, including dot-files, without using git. */
export function repositoryFiles(): RepositoryFile[] {
  return [...new Bun.Glob("**/*").scanSync({ cwd: ROOT, dot: true })]
    .filter((path) => path !== GIT_FILE && !IGNORED.some((folder) => path.startsWith(folder)))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

/** Reports whether people write the file, so that the rules apply to it. */
export function isWritten({ path }: RepositoryFile): boolean {
  return /^(src|test|scripts)\/.*\.(ts|tsx|mts|mjs)$/.test(path) && !path.includes("/generated/");
}

export function isSource(file: RepositoryFile): boolean {
  return file.path.startsWith("src/") && isWritten(file);
}

/** Returns the ignored folders. `.gitignore` contains only folders, each with a trailing slash. */
function ignoredFolders(): string[] {
  const lines = readFileSync(join(ROOT, ".gitignore"), "utf8").split("\n");
  return lines.filter((line) => line.endsWith("/"));
}

/** Returns the line number, from 1, of the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
