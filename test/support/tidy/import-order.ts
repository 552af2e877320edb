import {
  cycles,
  dependenciesOf,
  grouped,
  importGraph,
  partOf,
  targetOf,
} from "../../../scripts/structure/import-graph.ts";
import { isSource } from "./repository-files.ts";
import type { RepositoryFile } from "./repository-files.ts";

/** The folders of `application/`. A folder may import only those in rows above its own. */
const APPLICATION_ORDER: readonly (readonly string[])[] = [
  ["ring"],
  ["log"],
  ["receiving", "querying", "arrivals"],
  ["waiting", "shutdown"],
  ["forwarding"],
];

/** Returns a sentence for each import cycle between files, types included. */
export function fileCycles(files: readonly RepositoryFile[]): string[] {
  return cycles(importGraph(files.filter(isSource))).map(sentence);
}

/** Returns a sentence for each import cycle between folders. */
export function folderCycles(files: readonly RepositoryFile[]): string[] {
  return cycles(grouped(importGraph(files.filter(isSource)), partOf)).map(sentence);
}

function sentence(nodes: readonly string[]): string {
  return `${nodes.join(", ")} import each other in a circle`;
}

/** Returns a sentence for each import against the order, and for each file outside the folders. */
export function applicationDisorder(file: RepositoryFile): string[] {
  if (!isSource(file) || !file.path.startsWith("src/application/")) return [];
  const own = applicationFolder(file.path);
  if (levelOf(own) === -1) return [`${file.path} lies in no folder of the order`];
  return dependenciesOf(file)
    .map(({ specifier }) => targetOf(file.path, specifier) ?? "")
    .filter((target) => target.startsWith("src/application/"))
    .map(applicationFolder)
    .filter((folder) => folder !== own && levelOf(folder) >= levelOf(own))
    .map((folder) => `${file.path} may not import ${folder}/`);
}

function applicationFolder(path: string): string {
  return path.split("/")[2] ?? "";
}

function levelOf(folder: string): number {
  return APPLICATION_ORDER.findIndex((folders) => folders.includes(folder));
}
