import { expect, test } from "bun:test";
import { join } from "node:path";

const BENCH = join(import.meta.dir, "bench.ts");

function bench(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, BENCH, ...argv], { env });
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
}

test("the list has the name and the description of every case", () => {
  const { stdout, exitCode } = bench(["--list"]);

  const lines = stdout.trimEnd().split("\n");
  const names = lines.map((line) => line.split(" ")[0]);
  expect(names.toSorted()).toEqual([
    "append",
    "cost",
    "durable",
    "forward",
    "ingest",
    "ingest-http",
    "ingest-tls",
    "json",
    "latency",
    "memory",
    "page",
    "query",
    "run",
    "start",
    "wait",
    "walk",
  ]);
  expect(lines.every((line) => /^[\w-]+ +\w+ .{20,}/.test(line))).toBeTrue();
  expect(exitCode).toBe(0);
});

test("the help is printed on standard output with exit code 0", () => {
  const { stdout, stderr, exitCode } = bench(["--help"]);

  expect(stdout).toStartWith("bun run bench");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
});

test("an unknown case is refused, and no case runs", () => {
  const { stdout, stderr, exitCode } = bench(["walk", "nonsense"]);

  expect(stdout).toBe("");
  expect(stderr).toContain('unknown case "nonsense"');
  expect(exitCode).toBe(2);
});

test("without h2load, its cases name the package to install, in JSON too", () => {
  const { stdout, stderr, exitCode } = bench(
    ["durable", "ingest", "ingest-http", "forward", "memory", "--json"],
    { PATH: "/nowhere" },
  );

  const { cases } = JSON.parse(stdout) as { cases: { failure: string }[] };
  const failures = cases.map(({ failure }) => failure);
  expect(failures).toHaveLength(5);
  expect(
    failures.every((text) => /^h2load is missing: (apt-get|brew) install/.test(text)),
  ).toBeTrue();
  expect(stderr).toContain("ingest could not run: h2load is missing");
  expect(exitCode).toBe(1);
});
