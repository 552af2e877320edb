import { expect, test } from "bun:test";
import { acceptsToken } from "../../../../src/adapters/listening/token-list.ts";
import { tokenList } from "../../../support/fakes/opened-gate.ts";
import { chunksOf, textBytes } from "../../../support/requests/byte-chunks.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";

test("a new token is printed with the line that stands for it", async () => {
  const { exitCode, stdout, stderr } = await runCommands(["token"]);
  const [token = "", hash = "", ...others] = stdout.split("\n");

  expect({ exitCode, stderr, others }).toEqual({ exitCode: 0, stderr: "", others: [""] });
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(hash).toMatch(/^sha256:[\da-f]{64}$/);
  expect(acceptsToken(tokenList(hash), token)).toBe(true);
});

test("each token is a new one", async () => {
  const ends = await Promise.all([runCommands(["token"]), runCommands(["token"])]);

  expect(new Set(ends.map(({ stdout }) => stdout)).size).toBe(2);
});

test("--hash prints the line for the token on standard input", async () => {
  const stdin = chunksOf(textBytes(" one\n"), 2);
  const { exitCode, stdout } = await runCommands(["token", "--hash"], { stdin });

  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\n",
  });
});

test.each(["", "hunter2 hunter2", "hunter2\nhunter2", "sha256:hunter2", "h\u{fc}nter2"])(
  "%j is no token, and is not repeated",
  async (text) => {
    const stdin = chunksOf(textBytes(text), 100);
    const { exitCode, stdout, stderr } = await runCommands(["token", "--hash"], { stdin });

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("standard input must be one token");
    expect(stderr).not.toContain("nter2");
  },
);

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield textBytes("x".repeat(10_000));
}

test("an endless input is not read to its end", async () => {
  expect((await runCommands(["token", "--hash"], { stdin: endless() })).exitCode).toBe(2);
});
