/**
 * Writes a software bill of materials: `bun scripts/sbom.ts [--outfile=PATH]`.
 *
 * It lists the packages whose code is in the executable, according to the bundler, and the runtime
 * with the libraries that are linked into it. The same sources give the same bytes, so it has no
 * time and no random serial number.
 *
 * Source: CycloneDX 1.6, JSON. https://cyclonedx.org/docs/1.6/json/
 */
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import lock from "../bun.lock" with { type: "jsonc" };
import program from "../package.json" with { type: "json" };

const ROOT = resolve(import.meta.dir, "..");

interface Component {
  readonly type: "application" | "library" | "platform";
  readonly "bom-ref": string;
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly hashes?: readonly { readonly alg: "SHA-512"; readonly content: string }[];
  readonly licenses: readonly License[];
  readonly purl?: string;
  readonly pedigree?: { readonly patches: readonly Patch[] };
  readonly externalReferences?: readonly { readonly type: string; readonly url: string }[];
  readonly components?: readonly Component[];
}

interface Patch {
  readonly type: "unofficial";
  readonly diff: { readonly text: { readonly content: string } };
}

type License =
  | { readonly license: { readonly id: string } | { readonly name: string } }
  | { readonly expression: string };

interface Dependencies {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

export interface Sbom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly Dependencies[];
}

/** The part of a package's description that is needed here. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** Returns the bill of materials of the executable that `scripts/build.ts` builds. */
export async function sbomOf(entrypoint: string): Promise<Sbom> {
  const bundle = await bundleOf(entrypoint, "bun");
  const page = await bundleOf(join(ROOT, "src/page/main.tsx"), "browser");
  for (const [folder, targets] of page) {
    bundle.set(folder, new Set([...(bundle.get(folder) ?? []), ...targets]));
  }
  const folders = [...bundle.keys()].filter((folder) => folder !== ROOT);
  const libraries = folders.map((folder) => libraryOf(manifestIn(folder)));
  const runtime = runtimeOf();
  const own = { ...libraryOf(manifestIn(ROOT)), type: "application" } as const;
  const refOf = (folder: string) =>
    (folder === ROOT ? own : libraryOf(manifestIn(folder)))["bom-ref"];
  const dependencies = [...bundle].map(([folder, targets]) => {
    const wanted = [...targets].map(refOf);
    return {
      ref: refOf(folder),
      dependsOn: sorted(folder === ROOT ? [...wanted, BUN_REF] : wanted),
    };
  });
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: own },
    components: [...libraries, runtime].toSorted((one, other) =>
      one["bom-ref"] < other["bom-ref"] ? -1 : 1,
    ),
    dependencies: dependencies.toSorted((one, other) => (one.ref < other.ref ? -1 : 1)),
  };
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted();
}

/** Maps the folder of each bundled package to the folders of those that it imports. */
async function bundleOf(
  entrypoint: string,
  platform: "bun" | "browser",
): Promise<Map<string, Set<string>>> {
  const { metafile } = await Bun.build({
    entrypoints: [entrypoint],
    target: platform,
    minify: true,
    metafile: true,
  });
  const [output] = Object.values(metafile!.outputs);
  // The bundler reads more files than it needs. Nothing of some is left in its output.
  const kept = Object.entries(output!.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const bundle = new Map(kept.map(([path]) => [packageFolder(path), new Set<string>()]));
  for (const [path, { imports }] of Object.entries(metafile!.inputs)) {
    const folder = packageFolder(path);
    const targets = imports.map((imported) => packageFolder(imported.path));
    for (const target of targets) {
      if (target !== folder && bundle.has(target)) bundle.get(folder)?.add(target);
    }
  }
  return bundle;
}

/** Matches the path of a package's folder, up to the innermost `node_modules`. */
const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

function packageFolder(path: string): string {
  return PACKAGE.exec(resolve(path).replaceAll("\\", "/"))?.[0] ?? ROOT;
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function libraryOf({ name: fullName, version, license }: Manifest): Component {
  const [group, name] = fullName.includes("/") ? fullName.split("/") : [undefined, fullName];
  const purl = `pkg:npm/${fullName.replace("@", "%40")}@${version}`;
  const hash = hashOf(fullName, version);
  return {
    type: "library",
    "bom-ref": purl,
    ...(group === undefined ? {} : { group }),
    name: name!,
    version,
    ...(hash === undefined ? {} : { hashes: [{ alg: "SHA-512", content: hash }] }),
    licenses: [licenseOf(fullName, license)],
    purl,
    ...pedigreeOf(`${fullName}@${version}`),
  };
}

const PATCHES: Readonly<Record<string, string>> = program.patchedDependencies;

/** Returns how a package differs from its archive. */
function pedigreeOf(id: string): Pick<Component, "pedigree"> {
  const patch = PATCHES[id];
  if (patch === undefined) return {};
  const content = readFileSync(join(ROOT, patch), "utf8");
  return { pedigree: { patches: [{ type: "unofficial", diff: { text: { content } } }] } };
}

function licenseOf(name: string, license: string | undefined): License {
  if (license === undefined) throw new Error(`${name} names no license`);
  return /[ ()]/.test(license) ? { expression: license } : { license: { id: license } };
}

const LOCKED = Object.values(lock.packages) as readonly (readonly [string, ...unknown[]])[];

/** Returns the checksum of a package's archive, as in `bun.lock`; undefined for our own. */
function hashOf(name: string, version: string): string | undefined {
  const locked = LOCKED.find(([id]) => id === `${name}@${version}`);
  const integrity = String(locked?.at(-1) ?? "");
  if (!integrity.startsWith("sha512-")) return undefined;
  return Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
}

const BUN_VERSION = program.devDependencies.bun;
const BUN_REF = `pkg:github/oven-sh/bun@bun-v${BUN_VERSION}`;

/** The page of Bun's documentation that lists what is linked into it, in the version in use. */
const BUN_LICENSES = join(ROOT, "node_modules/bun-types/docs/project/license.mdx");

function runtimeOf(): Component {
  const page = readFileSync(BUN_LICENSES, "utf8");
  return {
    type: "platform",
    "bom-ref": BUN_REF,
    name: "bun",
    version: BUN_VERSION,
    licenses: [{ license: { id: "MIT" } }],
    purl: BUN_REF,
    components: [JAVASCRIPT_CORE, ...linkedLibraries(page)],
  };
}

const JAVASCRIPT_CORE: Component = {
  type: "library",
  "bom-ref": `${BUN_REF}#JavaScriptCore`,
  name: "JavaScriptCore",
  licenses: [{ license: { name: "LGPL-2" } }],
  externalReferences: [{ type: "vcs", url: "https://github.com/oven-sh/webkit" }],
};

/** Matches a row such as `` | [`zlib-ng`](https://github.com/zlib-ng/zlib-ng) | zlib | ``. */
const ROW = /^\| [^`|]*\[`?([^\]`]+)`?\]\(([^)]+)\)[^|]*\| ([^|]+?) *\|$/gm;

/** Reads the table of libraries. Licenses have the words of the page, without links. */
export function linkedLibraries(page: string): Component[] {
  const begin = page.indexOf("## Linked libraries");
  const end = page.indexOf("\n## ", begin + 1);
  const rows = [...page.slice(begin, end < 0 ? undefined : end).matchAll(ROW)];
  return rows.map(([, name = "", url = "", license = ""]) => ({
    type: "library",
    "bom-ref": `${BUN_REF}#${name}`,
    name,
    licenses: [{ license: { name: license.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1") } }],
    externalReferences: [{ type: "website", url }],
  }));
}

async function writeFromCommandLine(): Promise<void> {
  const { values } = parseArgs({ options: { outfile: { type: "string" } } });
  const outfile = values.outfile ?? join(ROOT, "dist", "spanring.cdx.json");
  const sbom = await sbomOf(join(ROOT, "src", "main.ts"));
  await Bun.write(outfile, `${JSON.stringify(sbom, undefined, 2)}\n`);
  await Bun.write(Bun.stdout, `${relative(".", outfile)}  ${sbom.components.length} components\n`);
}

if (import.meta.main) await writeFromCommandLine();
