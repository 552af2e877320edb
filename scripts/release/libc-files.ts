import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ArchiveEntry, copiedFile } from "./archive-entry.ts";
import { runTool } from "./run-tool.ts";
import type { Architecture } from "./system-package.ts";

const CACHE = resolve(import.meta.dir, "../../.tools/libc");

/** The version of Debian's package, whose sources Debian keeps under this name and version. */
export const LIBC_VERSION = "2.36-9+deb12u14";

/** Lists the files of the C library that an executable needs on one kind of processor. */
interface Libc {
  readonly sha256: string;
  readonly folder: string;
  readonly loader: string;
  /** The path that the executable names as its loader. */
  readonly interpreter: string;
}

const LIBCS: Readonly<Record<Architecture["deb"], Libc>> = {
  amd64: {
    sha256: "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
    folder: "lib/x86_64-linux-gnu",
    loader: "ld-linux-x86-64.so.2",
    interpreter: "lib64/ld-linux-x86-64.so.2",
  },
  arm64: {
    sha256: "01f4330719fd4f65580e16ea5a0527f372fca750e8f588d26deaf09f2d3b1cf4",
    folder: "lib/aarch64-linux-gnu",
    loader: "ld-linux-aarch64.so.1",
    interpreter: "lib/ld-linux-aarch64.so.1",
  },
};

/** The libraries that the executable names, and those that look up host names. */
const LIBRARIES = ["c.so.6", "m.so.6", "dl.so.2", "pthread.so.0", "resolv.so.2"];
const COPYRIGHT = "usr/share/doc/libc6/copyright";

/** Returns the files of the C library in a folder with the contents of Debian's package. */
export function libcFiles(architecture: Architecture["deb"], unpacked: string): ArchiveEntry[] {
  const { folder, loader, interpreter } = LIBCS[architecture];
  const names = LIBRARIES.map((name) => `lib${name}`);
  const copied = (path: string, mode?: number) => copiedFile(path, join(unpacked, path), mode);
  return [
    copied(`${folder}/${loader}`, 0o755),
    ...names.map((name) => copied(`${folder}/${name}`, 0o755)),
    { path: interpreter, mode: 0o777, link: `/${folder}/${loader}` },
    copied(COPYRIGHT),
  ];
}

/**
 * Returns a folder with the contents of Debian's package for a processor. `apt-get` downloads it
 * once, from the places that this machine uses, and leaves the machine's own lists alone.
 */
export async function unpackedLibc(architecture: Architecture["deb"]): Promise<string> {
  const cached = join(CACHE, `${LIBC_VERSION}-${architecture}`);
  if (!existsSync(cached)) await download(architecture, cached);
  return cached;
}

async function download(architecture: Architecture["deb"], folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const workshop = await mkdtemp(join(CACHE, ".download-"));
  try {
    const options = await aptOptions(architecture, workshop);
    await runTool(["apt-get", ...options, "update"], { cwd: workshop });
    const version = `libc6:${architecture}=${LIBC_VERSION}`;
    await runTool(["apt-get", ...options, "download", version], { cwd: workshop });
    const [archive] = new Bun.Glob("libc6_*.deb").scanSync(workshop);
    checkLibc(join(workshop, archive!), architecture);
    const unpacked = join(workshop, "unpacked");
    await runTool(["dpkg-deb", "--extract", archive!, unpacked], { cwd: workshop });
    await rename(unpacked, folder);
  } finally {
    await rm(workshop, { recursive: true });
  }
}

/** Returns options for lists of packages in a folder, as on a machine with this processor. */
async function aptOptions(architecture: string, folder: string): Promise<string[]> {
  await mkdir(join(folder, "state/lists/partial"), { recursive: true });
  await mkdir(join(folder, "cache/archives/partial"), { recursive: true });
  await Bun.write(join(folder, "status"), "");
  const settings = {
    "Dir::State": join(folder, "state"),
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    "APT::Architecture": architecture,
    "APT::Architectures::": architecture,
    "APT::Sandbox::User": "root",
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

/** Throws if a package is not the one that this source was written for. */
export function checkLibc(path: string, architecture: Architecture["deb"]): void {
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  const { sha256 } = LIBCS[architecture];
  if (found === sha256) return;
  const what = `libc6 ${LIBC_VERSION} for ${architecture}`;
  throw new Error(`${what} has the SHA-256 ${found}; expected ${sha256}`);
}
