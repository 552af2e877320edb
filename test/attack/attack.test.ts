import { expect, test } from "bun:test";
import { join } from "node:path";
import { ATTACKS } from "./catalogue.ts";

function attack(...argv: string[]) {
  const program = join(import.meta.dir, "attack.ts");
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, program, ...argv]);
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
}

test("the list has the name and the description of every attack once", () => {
  const { stdout, exitCode } = attack("--list");

  const lines = stdout.trimEnd().split("\n");
  const names = lines.map((line) => line.split(" ")[0]);
  expect(names).toEqual(ATTACKS.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(lines.every((line) => /^[\w-]+ +.{20,}/.test(line))).toBeTrue();
  expect(exitCode).toBe(0);
});

test("the help is printed on standard output with exit code 0", () => {
  const { stdout, stderr, exitCode } = attack("--help");

  expect(stdout).toStartWith("bun run attack");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
});

test("an unknown attack is refused, and no attack runs", () => {
  const { stdout, stderr, exitCode } = attack("grpc-ping-flood", "nonsense");

  expect(stdout).toBe("");
  expect(stderr).toContain('unknown attack "nonsense"');
  expect(exitCode).toBe(2);
});

test("the JSON of an attack has its figures and its verdict", () => {
  const { stdout } = attack("grpc-ping-flood", "--seconds", "1", "--json");

  const [row, ...more] = JSON.parse(stdout) as object[];
  expect(more).toEqual([]);
  expect(row).toMatchObject({
    name: "grpc-ping-flood",
    expected: "holds",
    verdict: expect.any(String),
    outcome: { isAlive: true, isBalanced: true, stopMs: null, longestBlockMs: expect.any(Number) },
  });
});
