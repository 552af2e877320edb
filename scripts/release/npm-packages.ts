import { chmod, copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import program from "../../package.json" with { type: "json" };
import { writeTarball } from "./archive.ts";
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
  const targets = TARGETS.filter(({ npm }) => npm !== undefined);
  const manifest = {
    name: "spanring",
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=20.3" },
    bin: { spanring: "bin/spanring.js" },
    exports: {
      "./testing": {
        types: "./testing.d.ts",
        bun: "./testing.bun.js",
        default: "./testing.js",
      },
      "./package.json": "./package.json",
    },
    optionalDependencies: Object.fromEntries(
      targets.map((target) => [packageName(target), version]),
    ),
  };
  return await pack("spanring", manifest, folders, async (folder) => {
    await bundle("src/testing/node.ts", "node", join(folder, "testing.js"));
    await bundle("src/testing.ts", "bun", join(folder, "testing.bun.js"));
    await bundle("scripts/release/launcher.ts", "node", join(folder, "bin", "spanring.js"));
    const launcher = await readFile(join(folder, "bin", "spanring.js"), "utf8");
    await Bun.write(join(folder, "bin", "spanring.js"), `#!/usr/bin/env node\n${launcher}`);
    await chmod(join(folder, "bin", "spanring.js"), 0o755);
    await Bun.write(join(folder, "testing.d.ts"), await declarations());
    await copyFile(join(ROOT, "README.md"), join(folder, "README.md"));
  });
}

async function bundle(entrypoint: string, target: "node" | "bun", outfile: string): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: [join(ROOT, entrypoint)],
    target,
    minify: { syntax: true, whitespace: true },
    define: { __dirname: '"/"', __filename: '"/"' },
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

async function pack(
  name: string,
  manifest: object,
  { outdir, workshop }: PackageFolders,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const parent = join(workshop, name);
  const folder = join(parent, "package");
  await mkdir(folder, { recursive: true });
  await Bun.write(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await copyFile(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  await fill(folder);
  const outfile = join(outdir, "npm", `${name}-${version}.tgz`);
  await mkdir(join(outdir, "npm"), { recursive: true });
  await writeTarball({ parent, folder: "package", outfile });
  await rm(parent, { recursive: true });
  return outfile;
}
