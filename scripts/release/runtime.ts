import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import program from "../../package.json" with { type: "json" };
import { isWindows, type Target } from "./targets.ts";
import { runTool } from "./run-tool.ts";

const ROOT = resolve(import.meta.dir, "../..");
const INSTALLED = join(ROOT, "node_modules", "bun", "bin", "bun.exe");
const CACHE = join(ROOT, ".tools", "runtimes");

/**
 * Returns the path of the runtime for a target: the installed one, or that of its npm package,
 * which is downloaded once. The bundler itself would download it from another place.
 */
export async function runtimeOf(target: Target): Promise<string> {
  const file = isWindows(target) ? "bun.exe" : "bun";
  if (isInstalled(target)) return INSTALLED;
  const cached = join(CACHE, `${target.name}-${program.devDependencies.bun}`);
  if (!existsSync(cached)) await download(target, cached);
  return join(cached, "package", "bin", file);
}

/** Compares bytes: the package `bun` installs the runtime that suits the machine's processor. */
function isInstalled({ installed }: Target): boolean {
  if (installed === undefined || !existsSync(INSTALLED)) return false;
  return createHash("sha256").update(readFileSync(INSTALLED)).digest("hex") === installed;
}

async function download({ runtime, sha512 }: Target, folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const workshop = await mkdtemp(join(CACHE, ".download-"));
  try {
    const version = `${runtime}@${program.devDependencies.bun}`;
    await runTool(["npm", "pack", "--silent", version], { cwd: workshop });
    const [archive] = await readdir(workshop);
    checkArchive(join(workshop, archive!), { version, sha512 });
    const unpacked = join(workshop, "unpacked");
    await mkdir(unpacked);
    await runTool(["tar", "-xzf", join("..", archive!)], { cwd: unpacked });
    await rename(unpacked, folder);
  } finally {
    await rm(workshop, { recursive: true });
  }
}

/** Throws if an archive is not the one that this source was written for. */
export function checkArchive(
  path: string,
  { version, sha512 }: { readonly version: string; readonly sha512: string },
): void {
  const found = createHash("sha512").update(readFileSync(path)).digest("base64");
  if (found === sha512) return;
  throw new Error(`${version} has the SHA-512 ${found}; expected ${sha512}`);
}
