import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rpmOf } from "../../../scripts/release/rpm.ts";
import { INTEL, runTool, smallPackage } from "../../support/running/packed-files.ts";
import { notRun } from "../../support/running/not-run.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

// Goal: RPM itself reads the package, finds its digests right, and installs it.

const RPM = Bun.which("rpm");
const TOOLS = RPM === null ? [] : [RPM];

if (TOOLS.length === 0) notRun(6, "rpm is missing");

function writtenPackage(architecture = INTEL): string {
  const path = join(temporaryFolder(), "spanring.rpm");
  writeFileSync(path, rpmOf(smallPackage(architecture)));
  return path;
}

test("two packages of the same files are identical", () => {
  expect(rpmOf(smallPackage()).equals(rpmOf(smallPackage()))).toBe(true);
});

describe.each(TOOLS)("%s", (rpm) => {
  test("finds all digests right", () => {
    const path = writtenPackage();

    const { exitCode, stdout } = runTool(rpm, "-K", "--nosignature", path);

    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${path}: digests OK\n` });
  });

  test("finds a changed byte of the payload", () => {
    const path = writtenPackage();
    const bytes = readFileSync(path);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(path, bytes);

    expect(runTool(rpm, "-K", "--nosignature", path).stdout).toContain("DIGESTS NOT OK");
  });

  test.each([{ deb: "amd64", rpm: "x86_64" } as const, { deb: "arm64", rpm: "aarch64" } as const])(
    "reads the description of a package for $rpm",
    (architecture) => {
      const format = "%{NAME} %{VERSION} %{ARCH} %{LICENSE} %{OS}";

      const { stdout, stderr } = runTool(
        rpm,
        "-qp",
        `--queryformat=${format}`,
        writtenPackage(architecture),
      );

      const about = `spanring 0.1.0 ${architecture.rpm} Apache-2.0 linux`;
      expect({ stdout, stderr }).toEqual({ stdout: about, stderr: "" });
    },
  );

  test("lists the files, of which one belongs to the administrator", () => {
    const path = writtenPackage();

    const files = runTool(rpm, "-qplv", path).stdout.split("\n");
    const configuration = runTool(rpm, "-qpc", path).stdout;

    const modes = files.map((line) => [line.split(" ")[0], line.split(" ").at(-1)].join(" "));
    expect(modes).toContain("-rwxr-xr-x /usr/bin/spanring");
    expect(modes).toContain("-rw-r--r-- /usr/lib/systemd/system/spanring.service");
    expect(modes).toContain("-rw------- /etc/spanring/spanring.env");
    expect(configuration).toBe("/etc/spanring/spanring.env\n");
  });

  test("installs the package, verifies its files, and removes it", () => {
    const root = temporaryFolder();
    mkdirSync(join(root, "etc"));
    // The scripts need a shell inside of the root.
    const where = [`--root=${root}`, "--nodeps", "--noscripts", "--nosignature", "--ignorearch"];

    const installed = runTool(rpm, ...where, "-i", writtenPackage());
    const program = runTool(join(root, "usr/bin/spanring"));
    const verified = runTool(rpm, `--root=${root}`, "--nodeps", "-V", "spanring");
    writeFileSync(join(root, "usr/bin/spanring"), "changed");
    const changed = runTool(rpm, `--root=${root}`, "--nodeps", "-V", "spanring");
    const removed = runTool(rpm, `--root=${root}`, "--nodeps", "--noscripts", "-e", "spanring");

    // On Debian, RPM adds that it should not be used.
    expect(installed).toMatchObject({ exitCode: 0, stdout: "" });
    expect(program.exitCode).toBe(7);
    expect(verified).toMatchObject({ exitCode: 0, stdout: "" });
    expect(changed.stdout).toMatch(/^S\.5.*\/usr\/bin\/spanring$/m);
    expect(removed.exitCode).toBe(0);
    expect(runTool("find", root, "-mindepth", "1", "-name", "spanring*").stdout).toBe("");
  });
});
