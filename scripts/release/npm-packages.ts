import { chmod, copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import program from "../../package.json" with { type: "json" };
import { writeTarball } from "./archive.ts";
import { MATCHER_EXPORTS, writeMatcherEntries } from "./matcher-entries.ts";
import { executableName, TARGETS, type Target } from "./targets.ts";

const ROOT = resolve(import.meta.dir, "../..");

const { version, description, license } = program;

/** Returns the name of the npm package with the executable for a target. */
function packageName({ name }: Target): string {
  return `@spanring/${name}`;
}

/** Where packages are written, and a folder for what is packed. */
export interface PackageFolders {
  readonly outdir: string;
  readonly workshop: string;
}

/** Writes the npm package with the executable for one target; undefined if npm has no such one. */
export async function writePlatformPackage(
  target: Target,
  executable: string,
  folders: PackageFolders,
): Promise<string | undefined> {
  if (target.npm === undefined) return undefined;
  const { os, cpu, libc } = target.npm;
  const manifest = {
    name: packageName(target),
    version,
    description: `The executable of spanring for ${target.name}.`,
    license,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
  };
  return await pack(`spanring-${target.name}`, manifest, folders, async (folder) => {
    const file = join(folder, "bin", executableName(target));
    await mkdir(join(folder, "bin"));
    await copyFile(executable, file);
    await chmod(file, 0o755);
  });
}

/** Writes the npm package `spanring`: the command, and `spanring/testing` with its types. */
export async function writeMainPackage(folders: PackageFolders): Promise<string> {
  return await pack("spanring", mainManifest(), folders, async (folder) => {
    await writeLibrary(folder);
    await bundle("src/testing.ts", { target: "bun", outfile: join(folder, "testing.bun.js") });
    const command = join(folder, "bin", "spanring.js");
    await bundle("scripts/release/launcher.ts", { target: "node", outfile: command });
    await Bun.write(command, `#!/usr/bin/env node\n${await readFile(command, "utf8")}`);
    await chmod(command, 0o755);
    await copyFile(join(ROOT, "README.md"), join(folder, "README.md"));
  });
}

/** Writes the manifest of the main package, and `spanring/testing` for Node with its types. */
export async function writeLibrary(folder: string): Promise<void> {
  await Bun.write(join(folder, "package.json"), jsonText(mainManifest()));
  await bundle("src/testing/node.ts", { target: "node", outfile: join(folder, "testing.js") });
  // Jest loads ES modules with a flag of Node only.
  await bundle("src/testing/node.ts", {
    target: "node",
    outfile: join(folder, "testing.cjs"),
    format: "cjs",
  });
  for (const name of ["testing.d.ts", "testing.d.cts"]) {
    await Bun.write(join(folder, name), await declarations());
  }
  await writeMatcherEntries(folder);
}

function mainManifest(): object {
  const targets = TARGETS.filter(({ npm }) => npm !== undefined);
  return {
    name: "spanring",
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=20.3" },
    bin: { spanring: "bin/spanring.js" },
    exports: {
      "./testing": {
        bun: { types: "./testing.d.ts", default: "./testing.bun.js" },
        require: { types: "./testing.d.cts", default: "./testing.cjs" },
        types: "./testing.d.ts",
        default: "./testing.js",
      },
      ...MATCHER_EXPORTS,
      "./package.json": "./package.json",
    },
    optionalDependencies: Object.fromEntries(
      targets.map((target) => [packageName(target), version]),
    ),
  };
}

interface Bundle {
  readonly target: "node" | "bun";
  readonly outfile: string;
  readonly format?: "esm" | "cjs";
}

async function bundle(entrypoint: string, { target, outfile, format = "esm" }: Bundle) {
  const isCommon = format === "cjs";
  const { outputs } = await Bun.build({
    entrypoints: [join(ROOT, entrypoint)],
    target,
    format,
    minify: { syntax: true, whitespace: true },
    define: {
      __dirname: '"/"',
      __filename: '"/"',
      // Bun would write the path of the source into the bundle.
      ...(isCommon ? { "import.meta.url": "bundlePath" } : {}),
    },
    ...(isCommon ? { banner: "const bundlePath = __filename;" } : {}),
  });
  await Bun.write(outfile, await outputs[0]!.text());
}

async function declarations(): Promise<string> {
  const types = await readFile(join(ROOT, "src/testing/test-spanring.ts"), "utf8");
  return `${types}
/** Starts a receiver with all its listeners on free ports. */
export declare function startSpanring(options?: SpanringOptions): Promise<TestSpanring>;

/** Matchers for \`expect.extend\` of Vitest, Jest and \`bun:test\`. */
export declare const spanringMatchers: SpanringMatchers;
`;
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

async function pack(
  name: string,
  manifest: object,
  { outdir, workshop }: PackageFolders,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const parent = join(workshop, name);
  const folder = join(parent, "package");
  await mkdir(folder, { recursive: true });
  await Bun.write(join(folder, "package.json"), jsonText(manifest));
  await copyFile(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  await fill(folder);
  const outfile = join(outdir, "npm", `${name}-${version}.tgz`);
  await mkdir(join(outdir, "npm"), { recursive: true });
  await writeTarball({ parent, folder: "package", outfile });
  await rm(parent, { recursive: true });
  return outfile;
}
