import { expect, test } from "bun:test";
import { join } from "node:path";
import { readFuzzArguments } from "./fuzz-arguments.ts";

function fuzz(...argv: string[]) {
  const program = join(import.meta.dir, "fuzz.ts");
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, program, ...argv]);
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
}

test.each([
  { argv: [], payloads: 100_000, streams: 10_000, seed: 77 },
  { argv: ["--payloads", "0", "--streams=5"], payloads: 0, streams: 5, seed: 77 },
  { argv: ["--seed", "3"], payloads: 100_000, streams: 10_000, seed: 3 },
])("$argv starts a run", ({ argv, ...rest }) => {
  expect(readFuzzArguments(argv, 77)).toEqual({ command: "run", ...rest });
});

test.each([
  { argv: ["--payloads", "-1"], complaint: "--payloads" },
  { argv: ["--streams", "1e3"], complaint: "--streams takes a whole number" },
  { argv: ["--seed", "x"], complaint: "--seed takes a whole number" },
  { argv: ["all"], complaint: "all" },
])("$argv is refused: $complaint", ({ argv, complaint }) => {
  expect(readFuzzArguments(argv, 77)).toEqual({
    command: "unusable",
    complaint: expect.stringContaining(complaint),
  });
});

test("a run prints its seed and its counts, and ends", () => {
  const { stdout, stderr, exitCode } = fuzz("--payloads", "50", "--streams", "20", "--seed", "4");

  expect(stdout).toStartWith("seed 4\n");
  expect(stdout).toContain("20 streams in ");
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
});

test("invalid usage is reported, and nothing runs", () => {
  const { stdout, stderr, exitCode } = fuzz("--payloads", "many");

  expect(stdout).toBe("");
  expect(stderr).toContain("--payloads takes a whole number from 0 to ");
  expect(exitCode).toBe(2);
});

test("a signal ends a long run", async () => {
  const argv = ["--payloads", "1000000000", "--streams", "0"];
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "fuzz.ts"), ...argv], {
    stdout: "pipe",
  });
  const reader = child.stdout.getReader();
  // The first line is printed before the first payload.
  await reader.read();

  child.kill("SIGTERM");

  expect(await child.exited).toBe(143);
});
