import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import program from "../../package.json" with { type: "json" };
import { release, targetsNamed } from "../../scripts/release.ts";
import { checkArchive } from "../../scripts/release/runtime.ts";
import { writeTarball, writeZip } from "../../scripts/release/archive.ts";
import { TARGETS } from "../../scripts/release/targets.ts";
import { executablePackage, thisPlatform } from "../../src/testing/executable-path.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const { version } = program;
const OUTDIR = temporaryFolder();
const PROJECT = temporaryFolder();

/** The target that this machine runs. */
const TARGET = executablePackage(thisPlatform()).replace("@spanring/", "");

/** Runs a command in the project, without Bun on the path and without the checkout's executable. */
async function runInProject(command: readonly string[]) {
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: PROJECT };
  const child = Bun.spawn([...command], { cwd: PROJECT, env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { stdout, stderr, exitCode: await child.exited };
}

describe("the packages for this machine", () => {
  beforeAll(async () => {
    await release(targetsNamed(TARGET), OUTDIR);
    const packages = ["spanring", `spanring-${TARGET}`];
    const paths = packages.map((name) => join(OUTDIR, "npm", `${name}-${version}.tgz`));
    writeFileSync(join(PROJECT, "package.json"), '{"private":true}');
    // Offline, npm cannot find the packages for other platforms, which are not published.
    const flags = ["--offline", "--omit=optional", "--no-audit", "--no-fund"];
    const { exitCode, stderr } = await runInProject(["npm", "install", ...flags, ...paths]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });

  test("npx spanring runs the executable of the package", async () => {
    const { stdout, exitCode } = await runInProject(["npx", "--offline", "spanring", "--version"]);

    expect(exitCode).toBe(0);
    expect(stdout).toContain(version);
  });

  test("npx spanring ends with the exit code of the command", async () => {
    const command = ["node", "-e", "process.exit(7)"];
    const { exitCode } = await runInProject([
      "npx",
      "--offline",
      "spanring",
      "run",
      "--",
      ...command,
    ]);

    expect(exitCode).toBe(7);
  });

  test.each([
    { name: "GET /orders", exitCode: 0, says: "# pass 1" },
    { name: "GET /order", exitCode: 1, says: 'without name=GET /order, 1 match, such as "GET /or' },
  ])(
    "a test on Node that waits for $name ends with $exitCode",
    async ({ name, exitCode, says }) => {
      writeFileSync(join(PROJECT, "order.test.mjs"), exampleWaitingFor(name));

      const run = await runInProject(["node", "--test", "order.test.mjs"]);

      expect(run.exitCode).toBe(exitCode);
      expect(run.stdout).toContain(says);
    },
  );

  test("a test on Bun runs spanring in its own process", async () => {
    const path = join(PROJECT, "bun.mjs");
    writeFileSync(
      path,
      `import { startSpanring } from "spanring/testing";
await using ring = await startSpanring();
console.log(JSON.stringify(await ring.spans()), process.memoryUsage().rss > 0);
`,
    );

    const { stdout } = await runInProject([process.execPath, path]);

    expect(stdout).toBe("[] true\n");
  });

  test("the shipped declarations import nothing and can be parsed", async () => {
    const path = join(PROJECT, "node_modules/spanring/testing.d.ts");

    const text = readFileSync(path, "utf8");
    expect(text).toContain("export declare function startSpanring(");
    expect(text).not.toContain("import ");
    expect(() => new Bun.Transpiler({ loader: "ts" }).transformSync(text)).not.toThrow();
  });

  test("the checksums are those of the files, which are listed completely", async () => {
    const { exitCode, stdout } = await checkSums();

    expect(exitCode).toBe(0);
    const files = [
      `npm/spanring-${version}.tgz`,
      `npm/spanring-${TARGET}-${version}.tgz`,
      `spanring-${version}-${TARGET}.tar.gz`,
      `spanring-${version}.cdx.json`,
      ...systemPackages(),
    ];
    expect(stdout.trim().split("\n").toSorted()).toEqual(
      files.map((file) => `${file}: OK`).toSorted(),
    );
  });

  test("an archive contains the executable and its papers", async () => {
    const folder = temporaryFolder();
    const name = `spanring-${version}-${TARGET}`;
    Bun.spawnSync(["tar", "-xzf", join(OUTDIR, `${name}.tar.gz`)], { cwd: folder });

    const { stdout } = Bun.spawnSync([join(folder, name, "spanring"), "--version"]);

    expect(stdout.toString()).toContain(version);
    expect(existsSync(join(folder, name, "LICENSE"))).toBe(true);
  });

  test("two releases are identical", async () => {
    const again = temporaryFolder();

    await release(targetsNamed(TARGET), again);

    const sums = readFileSync(join(OUTDIR, "SHA256SUMS"), "utf8");
    expect(readFileSync(join(again, "SHA256SUMS"), "utf8")).toBe(sums);
  });
});

/** Returns the packages for distributions; on x64, only the build without AVX2 has them. */
function systemPackages(): string[] {
  const system = targetsNamed(TARGET)[0]!.system;
  if (system === undefined) return [];
  return [`spanring_${version}_${system.deb}.deb`, `spanring-${version}-1.${system.rpm}.rpm`];
}

async function checkSums() {
  const command = ["sha256sum", "--check", "SHA256SUMS"];
  const child = Bun.spawn(command, { cwd: OUTDIR, stdout: "pipe", stderr: "inherit" });
  return { stdout: await child.stdout.text(), exitCode: await child.exited };
}

const exampleWaitingFor = (name: string) => `
import assert from "node:assert";
import { test } from "node:test";
import { startSpanring } from "spanring/testing";

test("an order is traced", async () => {
  const ring = await startSpanring();
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  await fetch(ring.endpoints.http + "/v1/traces", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      resourceSpans: [{ scopeSpans: [{ spans: [{ ...ids, name: "GET /orders" }] }] }],
    }),
  });
  const query = { service: "unknown_service", name: ${JSON.stringify(name)} };
  const [span] = await ring.waitFor(query, { timeoutMs: 300 });
  assert.strictEqual(span.status.code, 0);
  await ring.stop();
});
`;

test("a package exists for every platform that the library looks for", () => {
  const names = TARGETS.flatMap(({ npm, name }) => (npm === undefined ? [] : [{ npm, name }]));
  const wanted = names.map(({ npm }) => {
    const glibcVersion = npm.libc === "glibc" ? "2.36" : undefined;
    return executablePackage({ platform: npm.os, arch: npm.cpu, glibcVersion });
  });

  expect(names.map(({ name }) => `@spanring/${name}`)).toEqual(wanted);
});

test("an unknown target is reported with the known ones", () => {
  expect(() => targetsNamed("linux-x64,solaris")).toThrow('no target "solaris"; known: linux-x64,');
});

test("a runtime with another checksum is refused", () => {
  const path = join(temporaryFolder(), "bun.tgz");
  writeFileSync(path, "other");

  const check = () => checkArchive(path, { version: "bun@1", sha512: "AAAA" });

  expect(check).toThrow(/^bun@1 has the SHA-512 .*; expected AAAA$/);
});

test.each([
  { kind: "tarballs", write: writeTarball },
  { kind: "zip files", write: writeZip },
])("$kind of folders that were written at different times are identical", async ({ write }) => {
  const digests = [];
  for (const at of [1, 2]) {
    const parent = temporaryFolder();
    mkdirSync(join(parent, "folder"));
    writeFileSync(join(parent, "folder", at === 1 ? "a" : "b"), "text");
    writeFileSync(join(parent, "folder", at === 1 ? "b" : "a"), "text");
    const outfile = join(parent, "archive");
    await write({ parent, folder: "folder", outfile });
    digests.push(
      Bun.SHA256.hash(readFileSync(existsSync(outfile) ? outfile : `${outfile}.zip`), "hex"),
    );
  }

  expect(digests[0]).toBe(digests[1]!);
});
