import { lineAt } from "./repository-files.ts";
import type { RepositoryFile } from "./repository-files.ts";

export const MAX_COLUMNS = 100;
export const MAX_FILE_LINES = 300;
/** A port stays smaller than any adapter. */
export const MAX_PORT_LINES = 39;

const FORBIDDEN_NAMES = new Set(["utils", "helpers", "common", "types", "index"]);

export function longLines({ path, text }: RepositoryFile): string[] {
  return text
    .split("\n")
    .map((line, at) => ({ columns: [...line].length, number: at + 1 }))
    .filter(({ columns }) => columns > MAX_COLUMNS)
    .map(({ columns, number }) => `${path}:${number} has ${columns} columns`);
}

export function longFile({ path, text }: RepositoryFile): string[] {
  const lines = text.trimEnd().split("\n").length;
  return lines > MAX_FILE_LINES ? [`${path} has ${lines} lines, not ${MAX_FILE_LINES}`] : [];
}

/** A port is smaller than any adapter; the views of one thing may share a file. */
export function longPort({ path, text }: RepositoryFile): string[] {
  if (!path.startsWith("src/ports/")) return [];
  return [...text.matchAll(/^export interface (\w+)[^{]*\{\n(.*?)^\}/gms)]
    .filter(([whole]) => whole.split("\n").length > MAX_PORT_LINES)
    .map(([, name]) => `${path}: ${name} has more than ${MAX_PORT_LINES} lines`);
}

/** Returns a sentence for a file or folder name that says nothing about its contents. */
export function forbiddenName({ path }: RepositoryFile): string[] {
  const words = path.split("/").map((part) => part.replace(/\..*$/, ""));
  return words.filter((word) => FORBIDDEN_NAMES.has(word)).map((word) => `${path}: ${word}`);
}

/** Matches markers of unfinished work; spelt so that this file follows the rule as well. */
const UNFINISHED = /\b([T]ODO|[F]IXME|[X]XX)\b/g;

export function unfinishedWork(file: RepositoryFile): string[] {
  return matches(file, UNFINISHED, "is not done");
}

/** Matches tests that never run, or that prevent others from running. */
const SIDESTEP =
  /(\b(test|it|describe)(\.\w+|\([^)]*\))*|\]\))\.(skip|only|todo|failing|if|skipIf|todoIf)\b/g;

export function testsThatDoNotRun(file: RepositoryFile): string[] {
  return matches(file, SIDESTEP, "does not always run");
}

/**
 * The time limits of a test, as its last argument or for its file; `every-test.ts` sets the limit
 * of all tests.
 */
const TIME_LIMITS = [
  /\b(setDefaultTimeout|jest\.setTimeout)\(/g,
  /^\s*\}, (\{ timeout: )?[\d_]+( \})?\);$/gm,
  /\},\n\s*(\w*TIMEOUT\w*|[\d_]+),\n\s*\);/g,
];

export function timeLimitsOfTests(file: RepositoryFile): string[] {
  return TIME_LIMITS.flatMap((limit) =>
    matches(file, limit, "is a time limit that a busy machine breaks"),
  );
}

/** Matches folders of a particular machine and hosts of registries, which differ elsewhere. */
const MACHINE_PATH = /(?<![\w.~@:/-])\/(home|root|Users|work|mnt|media)\/[\w.-]+/g;
const REGISTRY_HOST = /\bregistry\.[\w-]+\.(org|com)\b|\bfiles\.pythonhosted\.org\b/g;

export function placesOfOneMachine(file: RepositoryFile): string[] {
  return [
    ...matches(file, MACHINE_PATH, "is a folder of one machine"),
    ...matches(file, REGISTRY_HOST, "is a registry's host"),
  ];
}

/** Matches lint directives without a reason, which is `-- why` or a comment above. */
const DIRECTIVE = /(\/\/|\/\*)\s*(ox|es)lint-disable(?!.*\s--\s+\S)[^\n]*/g;

export function rulesOffWithoutReason(file: RepositoryFile): string[] {
  return matches(file, DIRECTIVE, "gives no reason");
}

const RULE_OFF = /^\s*"[\w/-]+":\s*(?:\[\s*)?(?:"off"|"allow"|0\b)/;

export function settingsOffWithoutReason({ path, text }: RepositoryFile): string[] {
  const lines = text.split("\n");
  return lines
    .map((line, at) => ({ line, above: lines[at - 1] ?? "", number: at + 1 }))
    .filter(({ line, above }) => RULE_OFF.test(line) && !`${above}\n${line}`.includes("// "))
    .map(({ line, number }) => `${path}:${number} gives no reason: ${line.trim()}`);
}

function matches({ path, text }: RepositoryFile, pattern: RegExp, verdict: string): string[] {
  const found = [...text.matchAll(pattern)];
  return found.map((match) => `${path}:${lineAt(text, match.index)} ${match[0]} ${verdict}`);
}
