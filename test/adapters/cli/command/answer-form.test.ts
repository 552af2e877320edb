import { expect, test } from "bun:test";
import { threeSpans } from "../../../support/fakes/api-answers.ts";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";

stopFakeServersAfterEach();

const get = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["get", ...argv], answer, parts);

const TERMINAL = { columns: 80 };

test.each([
  { argv: ["--json", "--otlp"], message: "--json and --otlp cannot be combined" },
  { argv: ["--format", "json"], message: "--format requires --out FILE" },
  { argv: ["--out", "-"], message: '--out "-" is not a file; without --out, spans go to' },
  { argv: ["--out", "-", "--json"], message: '--out "-" is not a file' },
  { argv: ["--out", "x.txt"], message: "--out needs a file name that ends in .json, " },
  { argv: ["--out", "x.toString"], message: "--out needs a file name that ends in .json, " },
  { argv: ["--out", "x.pb", "--format", "xml"], message: "--format must be json or proto" },
  {
    argv: ["--out", "x", "--format", "json", "--otlp"],
    message: "cannot be combined with --json or --otlp",
  },
  { argv: ["--limt", "5"], message: 'unknown option "--limt"; did you mean --limit?' },
])("$argv is refused: $message", async ({ argv, message }) => {
  const end = await get(argv, threeSpans);

  expect(end).toMatchObject({ exitCode: 2, stdout: "", requestLines: [] });
  expect(end.stderr).toContain(message);
});

test("--otlp is refused on a terminal", async () => {
  const end = await get(["--otlp"], threeSpans, TERMINAL);

  expect(end).toMatchObject({ exitCode: 2, stdout: "", requestLines: [] });
  expect(end.stderr).toContain("--out FILE");
});
