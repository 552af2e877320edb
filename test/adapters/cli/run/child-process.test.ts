import { EventEmitter } from "node:events";
import { constants } from "node:os";
import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  runChild,
  interpreterOf,
  missingPart,
} from "../../../../src/adapters/cli/run/child-process.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const ENV = { PATH: process.env["PATH"] };

function run(script: string, isInForeground = () => false) {
  const signals = new EventEmitter();
  const command = ["sh", "-c", script];
  return { signals, end: runChild({ command, env: ENV, signals, isInForeground }) };
}

describe("the exit code of a command", () => {
  test.each([
    { name: "is 0 after success", script: "exit 0", end: { exitCode: 0 } },
    { name: "is passed through", script: "exit 42", end: { exitCode: 42 } },
    {
      name: "is 128 plus the number of the signal that ended it",
      script: "kill -KILL $$",
      end: { exitCode: 137, reason: "ended by SIGKILL" },
    },
  ])("$name", async ({ script, end }) => {
    expect(await run(script).end).toEqual(end);
  });

  test.each([
    { name: "was not found", command: ["spanring-no-such-command"], exitCode: 127 },
    { name: "cannot be executed", command: ["/dev/null"], exitCode: 126 },
  ])("is $exitCode if the command $name", async ({ command, exitCode }) => {
    const signals = new EventEmitter();
    const child = { command, env: ENV, signals, isInForeground: () => false };

    expect((await runChild(child)).exitCode).toBe(exitCode);
  });
});

/** Returns a script that exits with this code after this signal. */
const trapping = (signal: string, code: number) =>
  `trap 'exit ${code}' ${signal}; while :; do sleep 0.01; done`;

describe("a signal to run", () => {
  test.each([
    { signal: "SIGTERM", name: "TERM", code: 3 },
    { signal: "SIGINT", name: "INT", code: 4 },
    { signal: "SIGHUP", name: "HUP", code: 5 },
    { signal: "SIGQUIT", name: "QUIT", code: 6 },
    { signal: "SIGABRT", name: "ABRT", code: 7 },
    { signal: "SIGUSR1", name: "USR1", code: 8 },
    { signal: "SIGUSR2", name: "USR2", code: 9 },
    { signal: "SIGALRM", name: "ALRM", code: 10 },
  ] as const)("is passed on to the command: $signal", async ({ signal, name, code }) => {
    const { signals, end } = run(trapping(name, code));
    const exits = { trapped: code, untrapped: 128 + constants.signals[signal] };

    signals.emit(signal);

    // If the shell has not set its trap yet, the signal ends it with the default code.
    expect(Object.values(exits)).toContain((await end).exitCode);
  });

  test.each(["SIGINT", "SIGQUIT"])(
    "is not passed on if the terminal has already sent the command this %s",
    async (signal) => {
      const { signals, end } = run("sleep 0.05; exit 7", () => true);

      const isListenedTo = signals.emit(signal);

      expect(isListenedTo).toBe(true);
      expect((await end).exitCode).toBe(7);
    },
  );

  test("is handled until the command has ended", async () => {
    const { signals, end } = run("exit 0");
    const listening = signals.listenerCount("SIGTERM");

    await end;

    expect([listening, signals.listenerCount("SIGTERM")]).toEqual([1, 0]);
  });
});

const folder = temporaryFolder();

function executable(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

executable("on-the-path", "#!/no/such/shell -e\nexit 0\n");

test.each([
  {
    name: "a missing interpreter",
    command: executable("script", "#! /no/such/shell -e\nexit 0\n"),
    says: 'its interpreter "/no/such/shell" was not found',
  },
  {
    name: "an interpreter with a carriage return",
    command: executable("windows", "#!/bin/sh\r\nexit 0\r\n"),
    says: 'its interpreter "/bin/sh\\x0d" was not found',
  },
  {
    name: "a script that is found on PATH",
    command: "on-the-path",
    says: 'its interpreter "/no/such/shell" was not found',
  },
])("the missing part is named for $name", async ({ command, says }) => {
  const signals = { on: () => {}, off: () => {} };
  const child = { command: [command], env: { PATH: folder }, signals, isInForeground: () => false };

  expect(await runChild(child)).toEqual({ exitCode: 126, reason: says, hasNotRun: true });
});

test.each([
  { name: "is not a script", command: executable("program", "\u007fELF\u0002") },
  { name: "cannot be read", command: executable("unreadable", "x", 0o111) },
])("a file that $name is reported as lacking an interpreter or loader", ({ command }) => {
  expect(missingPart(command, {})).toContain("its interpreter or loader");
});

test("interpreterOf returns undefined for a missing file", () => {
  expect(interpreterOf(join(folder, "nothing"))).toBeUndefined();
});

test.each([{ PATH: folder }, {}])(
  "no missing part is reported for a command that was not found, with %p",
  (env) => {
    expect(missingPart("no-such-command", env)).toBeUndefined();
  },
);
