import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";

/** Reads a file; returns undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined;

/** The two versions of control groups: their names, and where each keeps its limit. */
const VERSIONS = [
  { type: "cgroup2", controller: "", file: "memory.max" },
  { type: "cgroup", controller: "memory", file: "memory.limit_in_bytes" },
] as const;

type Version = (typeof VERSIONS)[number];

/** The smallest value that means "no limit" in version 1; it is larger than any memory. */
const UNLIMITED_BYTES = 2 ** 60;

/**
 * Returns the lowest memory limit of the process's own control group and those above it; undefined
 * without a limit. Sources: cgroups(7), proc_pid_mountinfo(5).
 */
export function cgroupMemoryLimit(read: ReadText = readText): number | undefined {
  const limits = VERSIONS.flatMap((version) =>
    groupFolders(version, read).flatMap((folder) => limitIn(join(folder, version.file), read)),
  );
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function limitIn(path: string, read: ReadText): number[] {
  const bytes = Number.parseInt(read(path) ?? "", 10);
  return Number.isNaN(bytes) || bytes >= UNLIMITED_BYTES ? [] : [bytes];
}

/** Returns the folders of the process's group and of those above it, up to the mounted one. */
function groupFolders(version: Version, read: ReadText): string[] {
  const group = groupOf(version, read("/proc/self/cgroup") ?? "");
  const mount = mountOf(version, read("/proc/self/mountinfo") ?? "");
  if (group === undefined || mount === undefined) return [];
  const folders = [];
  for (let path = pathBelow(mount.root, group); path !== "/"; path = dirname(path)) {
    folders.push(join(mount.point, path));
  }
  return [...folders, mount.point];
}

/** Finds `4:memory:/docker/abc` in version 1, `0::/system.slice` in version 2. */
function groupOf({ controller }: Version, text: string): string | undefined {
  const entries = text.split("\n").map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []);
  return entries.find(([, controllers]) => controllers?.split(",").includes(controller))?.[2];
}

/** Finds `36 31 0:32 ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS`. */
function mountOf({ type, controller }: Version, text: string) {
  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root, point] = before.split(" ").map(unescaped);
    const [found, , options = ""] = after.split(" ");
    const isMemory = controller === "" || options.split(",").includes(controller);
    if (found === type && isMemory && root !== undefined && point !== undefined) {
      return { root, point };
    }
  }
  return undefined;
}

/** Replaces escapes such as `\040`, which stands for a space. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}

/**
 * Returns the path below the mount. The mounted group stands for a group outside it, which has no
 * folder here.
 */
function pathBelow(root: string, group: string): string {
  if (group.includes("/..")) return "/";
  if (root === "/") return group;
  return group.startsWith(`${root}/`) ? group.slice(root.length) : "/";
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
