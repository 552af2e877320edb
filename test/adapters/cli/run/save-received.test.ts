import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import type { StartReceiver } from "../../../../src/adapters/cli/command/command-run.ts";
import { fakeReceiver } from "../../../support/fakes/fake-receiver.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { searchedRing } from "../../../support/running/searched-ring.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const ENV = { PATH: process.env["PATH"], NO_COLOR: "1" };
const SHELL = ["--settle", "1ms", "--", "sh", "-c"];

/** Runs a shell script with a receiver that has received this request. */
async function run(argv: readonly string[], received?: Uint8Array) {
  const { buffer, arrivals, arrive } = searchedRing();
  let starts = 0;
  const startReceiver: StartReceiver = async () => {
    starts += 1;
    if (received !== undefined) arrive(received);
    return fakeReceiver({ buffer, arrivals });
  };
  return { ...(await runCommands(["run", ...argv], { env: ENV, startReceiver })), starts };
}

describe("the spans saved with --out", () => {
  test.each([
    { name: "the command succeeds", options: [], script: "exit 0", exitCode: 0 },
    { name: "the command fails", options: [], script: "exit 9", exitCode: 9 },
    { name: "an expectation fails", options: ["--expect", "name=no"], script: "", exitCode: 1 },
  ])("are complete if $name", async ({ options, script, exitCode: code }) => {
    const out = join(temporaryFolder(), "spans.jsonl");

    const ran = await run(["--out", out, ...options, ...SHELL, script], requestOf(3));

    expect(ran.exitCode).toBe(code);
    expect(readFileSync(out, "utf8").match(/"name":"span \d"/g)).toEqual([
      '"name":"span 1"',
      '"name":"span 2"',
      '"name":"span 3"',
    ]);
    expect(ran.stderr).toContain(`spanring: ${out}: 3 spans, `);
  });

  test("leave no file if none was received, and the run says so", async () => {
    const out = join(temporaryFolder(), "spans.jsonl");

    const ran = await run(["--out", out, ...SHELL, "exit 0"]);

    expect([ran.exitCode, existsSync(out)]).toEqual([0, false]);
    expect(ran.stderr).toContain(`${out}: not written, because no span was received\n`);
  });

  test("cannot be saved: a command that succeeds then ends with 1", async () => {
    const folder = join(temporaryFolder(), "gone");
    mkdirSync(folder);
    const out = join(folder, "spans.jsonl");

    const ran = await run(["--out", out, ...SHELL, `rmdir ${folder}`], requestOf(1));

    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain(`cannot write "${out}": `);
  });

  test.each([
    { out: ["--out", "-"], says: '--out "-" is not a file, because standard output is that of' },
    { out: ["--out", "/no/folder/s.jsonl"], says: 'cannot write "/no/folder/s.jsonl"' },
    { out: ["--out", "spans.txt"], says: "--out needs a file name that ends in" },
    { out: ["--format", "json"], says: "--format requires --out FILE" },
  ])("are refused before the command starts: $out", async ({ out, says }) => {
    const ran = await run([...out, ...SHELL, "exit 0"]);

    expect(ran.exitCode).not.toBe(0);
    expect(ran.stderr).toContain(says);
    expect(ran.starts).toBe(0);
  });
});
