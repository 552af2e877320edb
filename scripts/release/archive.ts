import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "./run-tool.ts";
import { archiveSeconds } from "./time.ts";

/** Packs a folder, which becomes the only top-level folder of the archive. */
export interface ArchiveInputs {
  /** The folder that contains the folder to pack. */
  readonly parent: string;
  readonly folder: string;
  readonly outfile: string;
}

/** Writes a `.tar.gz`, whose bytes depend only on names, modes and contents of the files. */
export async function writeTarball({ parent, folder, outfile }: ArchiveInputs): Promise<void> {
  const tar = `${outfile}.tar`;
  const owner = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go+r,go-w"];
  const form = ["--format=ustar", "--sort=name", `--mtime=@${archiveSeconds()}`, ...owner];
  await runTool(["tar", ...form, "-cf", tar, folder], { cwd: parent });
  // Without `-n`, gzip writes the time and the name of the file.
  await runTool(["gzip", "-n", "-6", "-S", ".gz", tar], { cwd: parent });
  await runTool(["mv", `${tar}.gz`, outfile], { cwd: parent });
}

/** Writes a `.zip`, whose bytes depend only on names, modes and contents of the files. */
export async function writeZip({ parent, folder, outfile }: ArchiveInputs): Promise<void> {
  const paths = readdirSync(join(parent, folder)).toSorted();
  const seconds = archiveSeconds();
  for (const path of paths) utimesSync(join(parent, folder, path), seconds, seconds);
  const files = paths.map((path) => join(folder, path));
  await runTool(["zip", "-q", "-X", "-D", outfile, ...files], { cwd: parent });
}
