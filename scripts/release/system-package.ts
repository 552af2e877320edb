import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { COMPLETION_SCRIPTS } from "../../src/adapters/cli/commands/completions.ts";
import { type ArchiveEntry, copiedFile, directory, textFile } from "./archive-entry.ts";
import { environmentFile } from "./environment-file.ts";

const ROOT = resolve(import.meta.dir, "../..");
const LINUX = join(import.meta.dir, "linux");

/** The names of a processor in packages of Debian, in RPM and in images. */
export interface Architecture {
  readonly deb: "amd64" | "arm64";
  readonly rpm: "x86_64" | "aarch64";
}

/** A package for the package manager of a Linux distribution. */
export interface SystemPackage {
  readonly architecture: Architecture;
  readonly entries: readonly ArchiveEntry[];
}

/** Holds what both formats say about the package. */
export const SYSTEM_DESCRIPTION = {
  summary: "bounded buffer for OpenTelemetry traces",
  details: [
    "spanring receives traces over OTLP/gRPC and OTLP/HTTP, keeps the newest spans in a",
    "buffer of fixed size, answers queries about them, and forwards them. Start it with",
    "systemctl enable --now spanring; /etc/spanring/spanring.env configures it.",
  ],
  maintainer: "The spanring authors <spanring@localhost>",
  /** The version that the runtime needs, which a test compares with the executable. */
  glibc: "2.17",
} as const;

/** Returns the package with this executable: the unit, its user and its configuration. */
export function systemPackage(architecture: Architecture, executable: string): SystemPackage {
  const documents = "usr/share/doc/spanring";
  return {
    architecture,
    entries: [
      directory("etc/spanring"),
      // It may hold secrets; systemd reads it as root.
      { ...textFile("etc/spanring/spanring.env", environmentFile(), 0o600), isConfiguration: true },
      copiedFile("usr/bin/spanring", executable, 0o755),
      copiedFile("usr/lib/systemd/system/spanring.service", join(LINUX, "spanring.service")),
      copiedFile("usr/lib/sysusers.d/spanring.conf", join(LINUX, "sysusers.conf")),
      textFile("usr/share/bash-completion/completions/spanring", COMPLETION_SCRIPTS.bash()),
      textFile("usr/share/fish/vendor_completions.d/spanring.fish", COMPLETION_SCRIPTS.fish()),
      textFile("usr/share/zsh/site-functions/_spanring", COMPLETION_SCRIPTS.zsh()),
      directory(documents),
      copiedFile(`${documents}/CHANGELOG.md`, join(ROOT, "CHANGELOG.md")),
      copiedFile(`${documents}/README.md`, join(ROOT, "README.md")),
      copiedFile(`${documents}/copyright`, join(ROOT, "LICENSE")),
    ],
  };
}

/** The scripts that the package manager runs. They know the arguments of dpkg and of RPM. */
export interface MaintainerScripts {
  readonly afterInstall: string;
  readonly beforeRemove: string;
  readonly afterRemove: string;
}

export function maintainerScripts(): MaintainerScripts {
  return {
    afterInstall: readScript("after-install.sh"),
    beforeRemove: readScript("before-remove.sh"),
    afterRemove: readScript("after-remove.sh"),
  };
}

function readScript(name: string): string {
  return readFileSync(join(LINUX, name), "utf8");
}
