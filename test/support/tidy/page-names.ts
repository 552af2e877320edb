import { dirname, join } from "node:path/posix";
import { parseSync, Visitor } from "oxc-parser";
import type { Span } from "oxc-parser";
import { isSource, isWritten, lineAt } from "./repository-files.ts";
import type { RepositoryFile } from "./repository-files.ts";

/**
 * The names between backticks on a page:
 *
 *     `application/ring/ring-append.ts`, `adapters/`   a file or a folder, from the page's folder,
 *                                                      from `src/` or from the root
 *     `append()`, `Forwarder.drain()`                  a function or method of the file named last
 *                                                      in the same paragraph or row
 *     `ObservabilityBuffer`, `MAX_BUFFER_SIZE`         a type or a constant, anywhere in the code
 *
 * Other words between backticks are not checked. Neither are fenced blocks, except for the tree.
 */
const PATH = /^\.{0,2}\/?[\w.-]+(\/[\w.-]+)*(\.(ts|md|mjs|sh|json|toml|yml)|\/)$/;
const CALL = /^((?:[A-Z]\w*\.)?[a-z]\w*)\(\)$/;
const TYPE_OR_CONSTANT = /^[A-Z]\w+$/;

/** Returns a sentence for each name on the page that does not exist. */
export function deadNames(page: RepositoryFile, files: readonly RepositoryFile[]): string[] {
  const written = files.filter(isWritten);
  return namesOn(page).flatMap(({ name, line, file }) => {
    const found = (verdict: string): string => `${page.path}:${line} ${name} ${verdict}`;
    if (PATH.test(name))
      return pathOf(page, name, files) === undefined ? [found("is not there")] : [];
    const [, callee] = CALL.exec(name) ?? [];
    if (callee !== undefined) {
      if (file === undefined) return [found("stands behind no file")];
      const path = pathOf(page, file, files);
      const source = files.find((each) => each.path === path);
      const isDeclared = source !== undefined && declaredIn(source).has(callee);
      return isDeclared ? [] : [found(`is not declared in ${file}`)];
    }
    if (!TYPE_OR_CONSTANT.test(name)) return [];
    const word = new RegExp(String.raw`\b${name}\b`);
    return written.some(({ text }) => word.test(text)) ? [] : [found("is nowhere in the code")];
  });
}

/** A file of tests, and the titles in quotes after it. */
const TITLES = /`([\w./-]+\.test\.ts)`:((?:\s+"[^"]+"[,;.]?)+)/g;

/** Returns a sentence for each title of a test on the page that its file does not have. */
export function deadTitles(page: RepositoryFile, files: readonly RepositoryFile[]): string[] {
  return [...page.text.matchAll(TITLES)].flatMap(([, path = "", titles = ""]) => {
    const tests = files.find((file) => file.path === path)?.text ?? "";
    return [...titles.matchAll(/"([^"]+)"/g)]
      .map(([, title = ""]) => title.replaceAll(/\s+/g, " "))
      .filter((title) => !tests.includes(`"${title}"`))
      .map((title) => `${page.path}: ${path} has no test "${title}"`);
  });
}

interface Name {
  readonly name: string;
  readonly line: number;
  /** The last file named before it, in the same paragraph or row. */
  readonly file: string | undefined;
}

function namesOn({ text }: RepositoryFile): Name[] {
  let file: string | undefined;
  const prose = text.replaceAll(/^```[^]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ""));
  return [...prose.matchAll(/`([^`\n]+)`|\n(?=\s*\n|\||- )/g)].flatMap(({ 1: name, index }) => {
    if (name === undefined) file = undefined;
    else if (PATH.test(name) && name.endsWith(".ts")) file = name;
    return name === undefined ? [] : [{ name, line: lineAt(text, index), file }];
  });
}

function pathOf(
  page: RepositoryFile,
  name: string,
  files: readonly RepositoryFile[],
): string | undefined {
  const starts = [dirname(page.path), "src", "."];
  return starts
    .map((start) => join(start, name))
    .find((path) =>
      files.some((file) => (name.endsWith("/") ? file.path.startsWith(path) : file.path === path)),
    );
}

/** Returns the functions of a file, and its methods as `Class.method` and by themselves. */
function declaredIn(file: RepositoryFile): ReadonlySet<string> {
  const names = new Set<string>();
  const textOf = ({ start, end }: Span): string => file.text.slice(start, end);
  new Visitor({
    FunctionDeclaration: ({ id }) => void names.add(id?.name ?? ""),
    VariableDeclarator: ({ id, init }) => {
      if (init?.type.endsWith("FunctionExpression") === true) names.add(textOf(id));
    },
    ClassDeclaration: ({ id, body }) => {
      for (const member of body.body) {
        if (member.type !== "MethodDefinition") continue;
        names.add(textOf(member.key)).add(`${id?.name ?? ""}.${textOf(member.key)}`);
      }
    },
    TSMethodSignature: ({ key }) => void names.add(textOf(key)),
  }).visit(parseSync(file.path, file.text).program);
  return names;
}

/** Returns a sentence for each difference between the tree on the map and the folders of `src/`. */
export function treeFaults(map: RepositoryFile, files: readonly RepositoryFile[]): string[] {
  const drawn = treeOn(map);
  const folders = new Set(
    files
      .filter(isSource)
      .flatMap(({ path }) => ancestors(dirname(path)).map((each) => `${each}/`)),
  );
  const missing = [...folders].filter((folder) => !drawn.some(({ path }) => path === folder));
  const dead = drawn.filter(
    ({ path }) => !folders.has(path) && !files.some((file) => file.path === path),
  );
  const bare = drawn.filter(({ purpose }) => purpose === "");
  return [
    ...missing.map((folder) => `${map.path} does not draw ${folder}`),
    ...dead.map(({ path }) => `${map.path} draws ${path}, which is not there`),
    ...bare.map(({ path }) => `${map.path} says nothing of ${path}`),
  ];
}

function ancestors(folder: string): string[] {
  return folder === "." ? [] : [...ancestors(dirname(folder)), folder];
}

interface TreeEntry {
  readonly path: string;
  readonly purpose: string;
}

/**
 * Parses the first block marked `tree`: one entry per line, indented two spaces more than its
 * folder.
 */
function treeOn({ text }: RepositoryFile): TreeEntry[] {
  const [, block = ""] = /^```text tree\n([^]*?)^```/m.exec(text) ?? [];
  const open: string[] = [];
  return block.split("\n").flatMap((line) => {
    const [, indent = "", name, purpose = ""] = /^( *)(\S+) *(.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    open.splice(indent.length / 2);
    open.push(name);
    return [{ path: open.join(""), purpose }];
  });
}
