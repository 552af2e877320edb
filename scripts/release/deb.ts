import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import program from "../../package.json" with { type: "json" };
import { type ArchiveEntry, textFile, withDirectories } from "./archive-entry.ts";
import { maintainerScripts, SYSTEM_DESCRIPTION, type SystemPackage } from "./system-package.ts";
import { tarOf } from "./tar.ts";
import { archiveSeconds } from "./time.ts";

/** Returns a Debian package. Source: deb(5), deb-control(5). */
export function debOf({ architecture, entries }: SystemPackage): Buffer {
  return arOf([
    { name: "debian-binary", bytes: Buffer.from("2.0\n") },
    { name: "control.tar.gz", bytes: gzipSync(tarOf(controlFiles(architecture.deb, entries))) },
    { name: "data.tar.gz", bytes: gzipSync(tarOf(withDirectories(entries))) },
  ]);
}

function controlFiles(architecture: string, entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const files = entries.filter(({ bytes }) => bytes !== undefined);
  const configuration = files.filter(({ isConfiguration }) => isConfiguration === true);
  const scripts = maintainerScripts();
  return [
    textFile("conffiles", configuration.map(({ path }) => `/${path}\n`).join("")),
    textFile("control", controlText(architecture, installedKib(entries))),
    textFile("md5sums", files.map(sumLine).join("")),
    textFile("postinst", scripts.afterInstall, 0o755),
    textFile("postrm", scripts.afterRemove, 0o755),
    textFile("prerm", scripts.beforeRemove, 0o755),
  ];
}

function controlText(architecture: string, sizeKib: number): string {
  const { summary, details, glibc, maintainer } = SYSTEM_DESCRIPTION;
  return `Package: ${program.name}
Version: ${program.version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${sizeKib}
Depends: libc6 (>= ${glibc})
Recommends: systemd
Section: net
Priority: optional
Description: ${summary}
 ${details.join("\n ")}
`;
}

function installedKib(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + Math.ceil((bytes?.length ?? 0) / 1024), 0);
}

function sumLine({ path, bytes }: ArchiveEntry): string {
  return `${createHash("md5").update(bytes!).digest("hex")}  ${path}\n`;
}

interface ArMember {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Returns an `ar` archive. Source: ar(5), whose members begin at even offsets. */
function arOf(members: readonly ArMember[]): Buffer {
  const parts = members.flatMap(({ name, bytes }) => {
    const fields = [name.padEnd(16), String(archiveSeconds()).padEnd(12), "0".padEnd(6)];
    const sizes = ["0".padEnd(6), "100644".padEnd(8), String(bytes.length).padEnd(10)];
    const header = `${[...fields, ...sizes].join("")}\u0060\n`;
    return [Buffer.from(header), bytes, Buffer.alloc(bytes.length % 2, "\n")];
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}
