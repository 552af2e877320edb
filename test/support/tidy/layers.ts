import { dirname } from "node:path/posix";
import {
  type Dependency,
  dependenciesOf,
  targetOf,
} from "../../../scripts/structure/import-graph.ts";
import { isSource } from "./repository-files.ts";
import type { RepositoryFile } from "./repository-files.ts";

/**
 * The layers that each layer may import. An adapter may also import the folders below, which
 * several adapters share; all other folders of an adapter are internal to it.
 */
const INWARDS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  ports: ["domain"],
  application: ["ports", "domain"],
  adapter: [
    "application",
    "ports",
    "domain",
    "adapters/api-messages",
    "adapters/otlp",
    "adapters/otlp/json",
    "adapters/otlp-files",
    "adapters/memory",
    "adapters/listening",
    "adapters/clock",
  ],
  config: ["domain"],
  page: [],
};

/** Layers that use neither packages nor the runtime's modules. */
const PURE = new Set(["domain", "ports", "application"]);

/** The packages that browsers load with the page. */
const PAGE_PACKAGES = /^(preact|@preact\/signals)(\/|$)/;

/** Returns a sentence for each import outwards or sideways, or of a package from within. */
export function outwardImports(file: RepositoryFile): string[] {
  if (!isSource(file)) return [];
  return dependenciesOf(file)
    .filter((dependency) => !isAllowed(file.path, dependency))
    .map(({ specifier }) => `${file.path} may not import ${specifier}`);
}

function isAllowed(path: string, { specifier, isType }: Dependency): boolean {
  const layer = layerOf(path);
  const target = targetOf(path, specifier);
  // Only browsers run the page; the read API bundles it without an import.
  if (target?.startsWith("src/page/") === true) return layer === "page";
  if (layer === "main") return true;
  if (layer === "page" && target === undefined) return PAGE_PACKAGES.test(specifier);
  if (target === undefined) return !PURE.has(layer);
  if (layerOf(target) === "config") return layer === "config" || mayUseConfig(path, isType);
  if (layer === "adapter") return areNeighbours(path, target) || isInwards(layer, target);
  return layerOf(target) === layer || isInwards(layer, target);
}

/**
 * Reports whether a file may import the configuration. Adapters know its types; only the command
 * line reads it.
 */
function mayUseConfig(path: string, isType: boolean): boolean {
  if (path.startsWith("src/adapters/cli/")) return true;
  return isType && layerOf(path) === "adapter";
}

function areNeighbours(path: string, target: string): boolean {
  return adapterOf(path) === adapterOf(target);
}

function isInwards(layer: string, target: string): boolean {
  const inwards = INWARDS[layer] ?? [];
  return inwards.includes(layerOf(target)) || inwards.includes(dirname(target).replace("src/", ""));
}

/** Returns `adapters/forward` for `src/adapters/forward/http-sink.ts`. */
function adapterOf(path: string): string | undefined {
  return /^src\/(adapters\/[^/]+)\//.exec(path)?.[1];
}

function layerOf(path: string): string {
  if (path.startsWith("src/adapters/")) return "adapter";
  if (path.startsWith("src/config/")) return "config";
  // These join the parts: the program, the server in it, and the receiver for tests.
  if (/^src\/(main\.ts$|testing\.ts$|testing\/|server\/)/.test(path)) return "main";
  return /^src\/(domain|ports|application|page)\//.exec(path)?.[1] ?? "outside";
}
