import { dirname, join } from "node:path/posix";
import { parseSync } from "oxc-parser";
import { isSource } from "./repository-files.ts";
import type { RepositoryFile } from "./repository-files.ts";

/** One `import` or `export ... from`, or an `import()`. */
interface Dependency {
  /** As written: `./ring.ts`, `node:fs`, `pino`. */
  readonly specifier: string;
  /** Whether only types come in, so that nothing is left of it at run time. */
  readonly isType: boolean;
}

/**
 * What each layer may import besides itself. Adapters are told apart by folder; what several need,
 * whatever they speak, is in `otlp`, `otlp-files`, `memory`, `listening` and `clock`.
 */
const INWARDS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  ports: ["domain"],
  application: ["ports", "domain"],
  adapter: [
    "application",
    "ports",
    "domain",
    "adapters/otlp",
    "adapters/otlp-files",
    "adapters/memory",
    "adapters/listening",
    "adapters/clock",
  ],
  config: ["domain"],
};

/** Layers that use no package and nothing of the runtime: they are ours alone. */
const PURE = new Set(["domain", "ports", "application"]);

/** One sentence for each import that points outwards, sideways, or at a package from within. */
export function outwardImports(file: RepositoryFile): string[] {
  if (!isSource(file)) return [];
  return dependenciesOf(file)
    .filter((dependency) => !isAllowed(file.path, dependency))
    .map(({ specifier }) => `${file.path} may not import ${specifier}`);
}

export function dependenciesOf({ path, text }: RepositoryFile): Dependency[] {
  const { staticImports, staticExports, dynamicImports } = parseSync(path, text).module;
  const imports = staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    isType: entries.length > 0 && entries.every((entry) => entry.isType),
  }));
  const exports = staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, isType }) =>
      moduleRequest === null ? [] : [{ specifier: moduleRequest.value, isType }],
    ),
  );
  const dynamic = dynamicImports.map(({ moduleRequest }) => ({
    specifier: text.slice(moduleRequest.start, moduleRequest.end).replaceAll(/^["'`]|["'`]$/g, ""),
    isType: false,
  }));
  return [...imports, ...exports, ...dynamic];
}

/** Where a relative import leads, from the root; nowhere for a package. */
export function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? join(dirname(path), specifier) : undefined;
}

function isAllowed(path: string, { specifier, isType }: Dependency): boolean {
  const layer = layerOf(path);
  if (layer === "main") return true;
  const target = targetOf(path, specifier);
  if (target === undefined) return !PURE.has(layer);
  if (layerOf(target) === "config") return layer === "config" || mayUseConfig(path, isType);
  if (layer === "adapter") return areNeighbours(path, target) || isInwards(layer, target);
  return layerOf(target) === layer || isInwards(layer, target);
}

/** Everybody is given configuration; only the command line reads it. */
function mayUseConfig(path: string, isType: boolean): boolean {
  if (path.startsWith("src/adapters/cli/")) return true;
  return isType && layerOf(path) === "adapter";
}

function areNeighbours(path: string, target: string): boolean {
  return adapterOf(path) === adapterOf(target);
}

function isInwards(layer: string, target: string): boolean {
  const inwards = INWARDS[layer] ?? [];
  return inwards.includes(layerOf(target)) || inwards.includes(adapterOf(target) ?? "none");
}

/** `adapters/grpc` of `src/adapters/grpc/listener.ts`. */
function adapterOf(path: string): string | undefined {
  return /^src\/(adapters\/[^/]+)\//.exec(path)?.[1];
}

function layerOf(path: string): string {
  if (path.startsWith("src/adapters/")) return "adapter";
  if (path.startsWith("src/config/")) return "config";
  // What builds and joins the parts: the program, the server in it, and the same for tests.
  if (/^src\/(main\.ts$|testing\.ts$|server\/)/.test(path)) return "main";
  return /^src\/(domain|ports|application)\//.exec(path)?.[1] ?? "outside";
}
