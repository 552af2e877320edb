import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debOf } from "../../../scripts/release/deb.ts";
import { systemPackage } from "../../../scripts/release/system-package.ts";
import {
  hardened,
  isHardeningPossible,
  NOBODY,
  stateFolder,
} from "../../support/running/hardened-unit.ts";
import { startManager } from "../../support/running/notified-manager.ts";
import { INTEL, runTool, smallPackage } from "../../support/running/packed-files.ts";
import { COMMAND, FREE_PORTS } from "../../support/running/running-program.ts";
import { notRun } from "../../support/running/not-run.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

// Goal: dpkg itself installs the package, and its program runs under the restrictions of its unit.
// Method: installation into a folder, with its own database and its own users.

const DPKG = Bun.which("dpkg");
const TOOLS = DPKG === null ? [] : [DPKG];

if (TOOLS.length === 0) notRun(8, "dpkg is missing");

test("two packages of the same files are identical", () => {
  expect(debOf(smallPackage()).equals(debOf(smallPackage()))).toBe(true);
});

const LIBC = `Package: libc6
Status: install ok installed
Architecture: amd64
Maintainer: Debian
Version: 2.36-9
Description: a library
`;

/** Returns a folder that dpkg takes for the root of a system with a C library. */
function emptySystem(): string {
  const root = temporaryFolder();
  // Like the root of a system, others may enter it.
  chmodSync(root, 0o755);
  for (const folder of ["etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, "var/lib/dpkg/status"), LIBC);
  writeFileSync(join(root, "var/lib/dpkg/arch"), "amd64\n");
  return root;
}

/** Scripts run outside of the root, which has no shell, and learn where it is. */
function dpkgIn(root: string, ...argv: readonly string[]) {
  const paths = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
  const where = [`--root=${root}`, "--force-script-chrootless", "--force-not-root"];
  const path = `PATH=${[process.env["PATH"], ...paths].join(":")}`;
  return runTool("env", path, DPKG!, ...where, ...argv);
}

function writtenPackage(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), "spanring.deb");
  writeFileSync(path, bytes);
  return path;
}

const ARM = { deb: "arm64", rpm: "aarch64" } as const;

describe.each(TOOLS)("%s", () => {
  test.each([INTEL, ARM])("reads the description of a package for $deb", (architecture) => {
    const path = writtenPackage(debOf(smallPackage(architecture)));

    const { stdout, stderr } = runTool("dpkg-deb", "--info", path);

    expect(stderr).toBe("");
    expect(stdout).toContain("\n Package: spanring\n Version: 0.1.0\n");
    expect(stdout).toContain(`\n Architecture: ${architecture.deb}\n`);
    expect(stdout).toContain("\n Depends: libc6 (>= 2.17)\n");
  });

  test("lists files of root, whose folders come before them", () => {
    const path = writtenPackage(debOf(smallPackage()));

    const lines = runTool("dpkg-deb", "--contents", path).stdout.trimEnd().split("\n");

    const names = lines.map((line) => line.split(" ").at(-1)!);
    expect(lines.filter((line) => !line.includes(" 0/0 "))).toEqual([]);
    expect(names.filter((name) => !names.includes(parentOf(name)))).toEqual(["./etc/", "./usr/"]);
    expect(lines.find((line) => line.endsWith("/spanring.env"))).toStartWith("-rw------- ");
  });

  test("keeps a changed configuration, and removes it with the spans at a purge", () => {
    const root = emptySystem();
    const path = writtenPackage(debOf(smallPackage()));
    const configuration = join(root, "etc/spanring/spanring.env");

    const first = dpkgIn(root, "--install", path);
    writeFileSync(configuration, "LOG_LEVEL=DEBUG\n");
    mkdirSync(join(root, "var/lib/spanring/data"), { recursive: true });
    const second = dpkgIn(root, "--install", path);
    const kept = readFileSync(configuration, "utf8");
    const removed = dpkgIn(root, "--remove", "spanring");
    const left = [configuration, join(root, "var/lib/spanring")].map((each) => existsSync(each));
    const purged = dpkgIn(root, "--purge", "spanring");

    const ends = [first, second, removed, purged].map(({ exitCode }) => exitCode);
    expect(ends).toEqual([0, 0, 0, 0]);
    expect({ kept, left }).toEqual({ kept: "LOG_LEVEL=DEBUG\n", left: [true, true] });
    expect(existsSync(join(root, "usr/bin/spanring"))).toBe(false);
    expect(existsSync(configuration)).toBe(false);
    expect(existsSync(join(root, "var/lib/spanring"))).toBe(false);
  });
});

const parentOf = (name: string): string => name.replace(/[^/]+\/?$/, "");

const isInstallable = DPKG !== null && isHardeningPossible() && COMMAND.length === 1;
const SYSTEMS = isInstallable ? ["an installed package"] : [];

if (SYSTEMS.length === 0) {
  notRun(4, "hardening needs root, unshare and setpriv");
}

describe.each(SYSTEMS)("%s", () => {
  const root = emptySystem();

  beforeAll(() => {
    const path = join(root, "spanring.deb");
    writeFileSync(path, debOf(systemPackage(INTEL, COMMAND[0]!)));
    const { exitCode, stderr } = dpkgIn(root, "--install", path);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const state = join(root, "var/lib/spanring");
    mkdirSync(state);
    chownSync(state, NOBODY, NOBODY);
  });

  test("has a user without a shell", () => {
    const user = readFileSync(join(root, "etc/passwd"), "utf8");

    expect(user).toMatch(/^spanring:.*:\/var\/lib\/spanring:\/usr\/sbin\/nologin$/m);
  });

  test("starts as its unit says, with its restrictions, and stores its spans", async () => {
    await using manager = await startManager(`@spanring-deb-${crypto.randomUUID()}`);
    const unit = readFileSync(join(root, "usr/lib/systemd/system/spanring.service"), "utf8");
    const program = join(root, /^ExecStart=(.*)$/m.exec(unit)![1]!);
    const data = join(root, /^Environment=DATA_DIR=(.*)$/m.exec(unit)![1]!);
    const env = { ...FREE_PORTS, DATA_DIR: data, NOTIFY_SOCKET: manager.address };

    const argv = [...hardened(join(root, "var/lib/spanring")), program];
    const child = Bun.spawn(argv, { env, stdout: "pipe", stderr: "pipe" });
    const log = child.stderr.text();
    const ready = await Promise.race([manager.next(), log]);
    child.kill("SIGTERM");

    expect(ready).toContain("READY=1");
    expect(await child.exited).toBe(0);
    expect(await log).not.toContain('"level":"ERROR"');
    expect(existsSync(data)).toBe(true);
  });

  const ANALYZE = Bun.which("systemd-analyze");
  const ANALYZERS = ANALYZE === null ? [] : [ANALYZE];

  if (ANALYZERS.length === 0) {
    notRun(1, "systemd-analyze is missing");
  }

  test.each(ANALYZERS)("%s finds no mistake in its unit", (analyze) => {
    const unit = join(root, "usr/lib/systemd/system/spanring.service");
    const checked = join(stateFolder(), "spanring.service");
    // The unit names programs and papers of a system on which it is installed.
    const text = readFileSync(unit, "utf8").replace(
      "/usr/bin/spanring",
      join(root, "usr/bin/spanring"),
    );
    writeFileSync(checked, text);

    const { exitCode, stderr } = runTool(analyze, "verify", "--man=no", checked);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });
});
