import { EventEmitter } from "node:events";
import { constants } from "node:os";
import { describe, expect, test } from "bun:test";
import { runChild } from "../../../../src/adapters/cli/run/child-process.ts";

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
    { name: "that is not there", command: ["spanring-no-such-command"], exitCode: 127 },
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
