import { EventEmitter } from "node:events";
import { constants } from "node:os";
import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isatty } from "node:tty";
import {
  runChild,
  interpreterOf,
  missingPart,
  isForegroundProcess,
} from "../../../../src/adapters/cli/run/child-process.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const ENV = { PATH: process.env["PATH"] };

function run(script: string, isInForeground = () => false) {
  const signals = new EventEmitter();
  const command = ["sh", "-c", script];
  return { signals, end: runChild({ command, env: ENV, signals, isInForeground }) };
}

describe("a command ends as it ends", () => {
  test.each([
    { name: "with success", script: "exit 0", end: { exitCode: 0 } },
    { name: "with a code of its own", script: "exit 42", end: { exitCode: 42 } },
    {
      name: "by a signal",
      script: "kill -KILL $$",
      end: { exitCode: 137, reason: "ended by SIGKILL" },
    },
  ])("$name", async ({ script, end }) => {
    expect(await run(script).end).toEqual(end);
  });

  test.each([
    { name: "that was not found", command: ["spanring-no-such-command"], exitCode: 127 },
    { name: "that cannot be executed", command: ["/dev/null"], exitCode: 126 },
  ])("or does not run, one $name", async ({ command, exitCode }) => {
    const signals = new EventEmitter();
    const child = { command, env: ENV, signals, isInForeground: () => false };

    expect((await runChild(child)).exitCode).toBe(exitCode);
  });
});

/** Says in its exit code which signal it got. */
const trapping = (signal: string, code: number) =>
  `trap 'exit ${code}' ${signal}; while :; do sleep 0.01; done`;

describe("a signal is passed on", () => {
  test.each([
    { signal: "SIGTERM", name: "TERM", code: 3 },
    { signal: "SIGINT", name: "INT", code: 4 },
    { signal: "SIGHUP", name: "HUP", code: 5 },
    { signal: "SIGQUIT", name: "QUIT", code: 6 },
    { signal: "SIGABRT", name: "ABRT", code: 7 },
    { signal: "SIGUSR1", name: "USR1", code: 8 },
    { signal: "SIGUSR2", name: "USR2", code: 9 },
    { signal: "SIGALRM", name: "ALRM", code: 10 },
  ] as const)("$signal", async ({ signal, name, code }) => {
    const { signals, end } = run(trapping(name, code));
    const exits = { trapped: code, untrapped: 128 + constants.signals[signal] };

    signals.emit(signal);

    // The shell may not have come to its trap yet, and then the signal ends it as it is.
    expect(Object.values(exits)).toContain((await end).exitCode);
  });

  test.each(["SIGINT", "SIGQUIT"])(
    "but for a %s of a terminal, which the command has got already",
    async (signal) => {
      const { signals, end } = run("sleep 0.05; exit 7", () => true);

      const isListenedTo = signals.emit(signal);

      expect(isListenedTo).toBe(true);
      expect((await end).exitCode).toBe(7);
    },
  );

  test("until it has ended, and no longer", async () => {
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
    name: "an interpreter that was not found",
    command: executable("script", "#! /no/such/shell -e\nexit 0\n"),
    says: 'its interpreter "/no/such/shell" was not found',
  },
  {
    name: "lines that end as on Windows",
    command: executable("windows", "#!/bin/sh\r\nexit 0\r\n"),
    says: 'its interpreter "/bin/sh\\x0d" was not found',
  },
  {
    name: "a script that is found on PATH",
    command: "on-the-path",
    says: 'its interpreter "/no/such/shell" was not found',
  },
])("$name: the report says what is missing", async ({ command, says }) => {
  const signals = { on: () => {}, off: () => {} };
  const child = { command: [command], env: { PATH: folder }, signals, isInForeground: () => false };

  expect(await runChild(child)).toEqual({ exitCode: 126, reason: says, hasNotRun: true });
});

test.each([
  { name: "is no script", command: executable("program", "\u007fELF\u0002") },
  { name: "cannot be read", command: executable("unreadable", "x", 0o111) },
])("of what $name an interpreter or a loader is missing", ({ command }) => {
  expect(missingPart(command, {})).toContain("its interpreter or loader");
});

test("what cannot be read names no interpreter", () => {
  expect(interpreterOf(join(folder, "nothing"))).toBeUndefined();
});

test.each([{ PATH: folder }, {}])("of what was not found no part is missing, with %p", (env) => {
  expect(missingPart("no-such-command", env)).toBeUndefined();
});

test.each([
  { name: "the terminal's group", stat: "12 (spanring) S 9 11 9 34817 11 4194304", is: true },
  { name: "another group", stat: "12 (spanring) S 9 11 9 34817 15 4194304", is: false },
  { name: "no terminal", stat: "12 (spanring) S 9 11 9 0 -1 4194304", is: false },
  { name: "a name of its own making", stat: "12 (a) S 1 2 3) S 9 11 9 34817 11 4", is: true },
  { name: "nothing that can be read", stat: "", is: false },
])("a process of $name is in front of a terminal: $is", ({ stat, is }) => {
  const file = join(temporaryFolder(), "stat");
  writeFileSync(file, stat);

  expect(isForegroundProcess(file)).toBe(is);
});

test("without a report of the system, a process with a terminal is in the foreground", () => {
  const hasTerminal = [0, 1, 2].some((fileDescriptor) => isatty(fileDescriptor));

  expect(isForegroundProcess("/no/such/file")).toBe(hasTerminal);
});
