import { mkdirSync } from "node:fs";

/** A file system of a few MiB, which only processes with its launcher see. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string;
  /** The start of a command that sees the file system. */
  readonly launcher: readonly string[];
  resize(mebibytes: number): void;
  /** Runs a command that sees the file system. */
  run(...command: readonly string[]): void;
}

/** Whether this user may mount file systems. */
export const CAN_MOUNT = ["unshare", "nsenter", "mount"].every((name) => Bun.which(name) !== null)
  ? Bun.spawnSync(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"]).exitCode === 0
  : false;

/** Mounts a file system in memory in a namespace of its own, which ends with its last process. */
export async function mountSmallDisk(folder: string, mebibytes: number): Promise<SmallDisk> {
  mkdirSync(folder);
  const script = `mount -t tmpfs -o size=${mebibytes}m none "$1" && echo mounted && exec cat`;
  const holder = Bun.spawn(["unshare", "-m", "sh", "-c", script, "sh", folder], {
    stdin: "pipe",
    stdout: "pipe",
  });
  await holder.stdout.getReader().read();
  const launcher = ["nsenter", "-m", "-t", String(holder.pid), "--"];
  const run = (...command: readonly string[]): void => {
    Bun.spawnSync([...launcher, ...command]);
  };
  return {
    folder,
    launcher,
    run,
    resize: (size) => run("mount", "-o", `remount,size=${size}m`, folder),
    [Symbol.asyncDispose]: async () => {
      holder.kill("SIGKILL");
      await holder.exited;
    },
  };
}
