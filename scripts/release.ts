/**
 * Builds all packages: `bun run release [--only=linux-x64,darwin-arm64] [--outdir=PATH]`.
 *
 * Writes npm packages, an archive for each platform, packages for Debian and for RPM, an image for
 * containers, a bill of materials, and `SHA256SUMS`. The same sources give the same bytes;
 * `SOURCE_DATE_EPOCH` sets the time of all files. Nothing is published.
 */
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import program from "../package.json" with { type: "json" };
import { buildBinary } from "./build.ts";
import { writeTarball, writeZip } from "./release/archive.ts";
import { debOf } from "./release/deb.ts";
import { imageArchive } from "./release/image.ts";
import { libcFiles, unpackedLibc } from "./release/libc-files.ts";
import {
  type PackageFolders,
  writeMainPackage,
  writePlatformPackage,
} from "./release/npm-packages.ts";
import { rpmOf } from "./release/rpm.ts";
import { runtimeOf } from "./release/runtime.ts";
import { systemPackage } from "./release/system-package.ts";
import { executableName, isWindows, TARGETS, type Target } from "./release/targets.ts";
import { sbomOf } from "./sbom.ts";

const ROOT = resolve(import.meta.dir, "..");
const MAIN = join(ROOT, "src", "main.ts");

/** Writes the packages of these targets; resolves to their paths, and that of `SHA256SUMS`. */
export async function release(targets: readonly Target[], outdir: string): Promise<string[]> {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const workshop = await mkdtemp(join(outdir, ".build-"));
  const folders = { outdir, workshop };
  try {
    const written = [await writeMainPackage(folders)];
    // One after the other: each build uses a gigabyte of memory.
    for (const target of targets) written.push(...(await writeTarget(target, folders)));
    written.push(...(await writeImage(targets, folders)), await writeSbom(outdir));
    return [...written, await writeChecksums(written, outdir)];
  } finally {
    await rm(workshop, { recursive: true });
  }
}

async function writeTarget(target: Target, folders: PackageFolders): Promise<string[]> {
  const executable = await buildBinary({
    entrypoint: MAIN,
    outfile: executablePath(target, folders),
    target: target.bun,
    executablePath: await runtimeOf(target),
  });
  const npm = await writePlatformPackage(target, executable, folders);
  const archive = await writeArchive(target, executable, folders);
  const system = await writeSystemPackages(target, executable, folders);
  // The image needs that of all its processors.
  if (target.system === undefined) await rm(executable);
  return [...(npm === undefined ? [] : [npm]), archive, ...system];
}

function executablePath(target: Target, { workshop }: PackageFolders): string {
  return join(workshop, `executable-${target.name}`, executableName(target));
}

/** Writes the image if the executables for all its processors have been built. */
async function writeImage(targets: readonly Target[], folders: PackageFolders): Promise<string[]> {
  const inImage = targets.filter(({ system }) => system !== undefined);
  if (inImage.length < TARGETS.filter(({ system }) => system !== undefined).length) return [];
  const parts = await Promise.all(
    inImage.map(async (target) => {
      const architecture = target.system!.deb;
      const libc = libcFiles(architecture, await unpackedLibc(architecture));
      return { architecture, libc, executable: executablePath(target, folders) };
    }),
  );
  const outfile = join(folders.outdir, `spanring-${program.version}-image.tar`);
  await Bun.write(outfile, imageArchive(parts));
  return [outfile];
}

/** Writes the `.deb` and the `.rpm` of a target that has them. */
async function writeSystemPackages(
  { system }: Target,
  executable: string,
  { outdir }: PackageFolders,
): Promise<string[]> {
  if (system === undefined) return [];
  const content = systemPackage(system, executable);
  const deb = join(outdir, `spanring_${program.version}_${system.deb}.deb`);
  const rpm = join(outdir, `spanring-${program.version}-1.${system.rpm}.rpm`);
  await Bun.write(deb, debOf(content));
  await Bun.write(rpm, rpmOf(content));
  return [deb, rpm];
}

async function writeArchive(
  target: Target,
  executable: string,
  { outdir, workshop }: PackageFolders,
): Promise<string> {
  const folder = `spanring-${program.version}-${target.name}`;
  await mkdir(join(workshop, folder));
  const file = join(workshop, folder, executableName(target));
  await copyFile(executable, file);
  await chmod(file, 0o755);
  for (const name of ["LICENSE", "README.md", "CHANGELOG.md"]) {
    await copyFile(join(ROOT, name), join(workshop, folder, name));
  }
  const write = isWindows(target) ? writeZip : writeTarball;
  const outfile = join(outdir, `${folder}${isWindows(target) ? ".zip" : ".tar.gz"}`);
  await write({ parent: workshop, folder, outfile });
  await rm(join(workshop, folder), { recursive: true });
  return outfile;
}

async function writeSbom(outdir: string): Promise<string> {
  const outfile = join(outdir, `spanring-${program.version}.cdx.json`);
  await Bun.write(outfile, `${JSON.stringify(await sbomOf(MAIN), undefined, 2)}\n`);
  return outfile;
}

/** Writes a file for `sha256sum --check`. */
async function writeChecksums(paths: readonly string[], outdir: string): Promise<string> {
  const lines = await Promise.all(
    paths.map(async (path) => {
      const digest = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
      return `${digest}  ${relative(outdir, path)}\n`;
    }),
  );
  const outfile = join(outdir, "SHA256SUMS");
  await Bun.write(outfile, lines.join(""));
  return outfile;
}

/** Returns the targets with these names, separated by commas; all if there are none. */
export function targetsNamed(names: string | undefined): readonly Target[] {
  if (names === undefined) return TARGETS;
  return names.split(",").map((name) => {
    const found = TARGETS.find((target) => target.name === name);
    if (found !== undefined) return found;
    throw new Error(`no target "${name}"; known: ${TARGETS.map((each) => each.name).join(", ")}`);
  });
}

async function releaseFromCommandLine(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, outdir: { type: "string" } },
  });
  const outdir = resolve(values.outdir ?? join(ROOT, "dist", "release"));
  for (const path of await release(targetsNamed(values.only), outdir)) {
    const sizeMib = Bun.file(path).size / 1024 / 1024;
    await Bun.write(Bun.stdout, `${relative(outdir, path)}  ${sizeMib.toFixed(1)} MiB\n`);
  }
}

if (import.meta.main) await releaseFromCommandLine();
