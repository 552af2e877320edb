import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "../../..");

/** One file of the repository, as the rules see it. */
export interface RepositoryFile {
  /** From the root, with `/` between folders. */
  readonly path: string;
  readonly text: string;
}

const IGNORED = [".git/", ...ignoredFolders()];

/** In a worktree that Git has added to another, `.git` is a file that says where that one is. */
const GIT_FILE = ".git";

/** Every file that belongs to the repository, the dot-files included. It needs no git to tell. */
export function repositoryFiles(): RepositoryFile[] {
  return [...new Bun.Glob("**/*").scanSync({ cwd: ROOT, dot: true })]
    .filter((path) => path !== GIT_FILE && !IGNORED.some((folder) => path.startsWith(folder)))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

/** What people write, and what a rule can therefore ask something of. */
export function isWritten({ path }: RepositoryFile): boolean {
  return /^(src|test|scripts)\/.*\.(ts|mts|mjs)$/.test(path) && !path.includes("/generated/");
}

export function isSource(file: RepositoryFile): boolean {
  return file.path.startsWith("src/") && isWritten(file);
}

/** `.gitignore` holds nothing but folders, each ending in a slash. */
function ignoredFolders(): string[] {
  const lines = readFileSync(join(ROOT, ".gitignore"), "utf8").split("\n");
  return lines.filter((line) => line.endsWith("/"));
}

/** The number of the line, from 1, in which the character at `offset` is. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
