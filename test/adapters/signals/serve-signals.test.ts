import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { constants } from "node:os";
import { PassThrough } from "node:stream";
import {
  hasControllingTerminal,
  isImmediate,
  nativeSignals,
  serveSignals,
  UNTOUCHED_SIGNALS,
} from "../../../src/adapters/signals/serve-signals.ts";
import { join } from "node:path";

class FakeProcess extends EventEmitter {
  readonly exitCodes: number[] = [];

  exit(code: number): void {
    this.exitCodes.push(code);
  }
}

function serving(hangupStops = false) {
  const process = new FakeProcess();
  const reloads: string[] = [];
  const ignored: number[] = [];
  const signals = serveSignals(process, {
    hangupStops,
    reload: () => reloads.push("reload"),
    ignore: (signal) => ignored.push(signal),
  });
  return { process, reloads, ignored, ...signals };
}

test.each([
  { name: "ends", end: (input: PassThrough) => input.end("ignored") },
  { name: "fails", end: (input: PassThrough) => input.destroy(new Error("EBADF")) },
])("an input that $name stops the receiver, and one signal hurries it", async ({ end }) => {
  const process = new FakeProcess();
  const input = new PassThrough();
  const actions = { hangupStops: false, reload: () => {}, ignore: () => {}, input };
  const { stopped, hurried } = serveSignals(process, actions);

  end(input);
  const cause = await stopped;
  process.emit("SIGTERM");

  expect(cause).toBe("stdin");
  expect(isImmediate(cause)).toBe(false);
  expect(await hurried).toBe("SIGTERM");
});

/** Returns the signals that have requested a stop and hurried it so far. */
async function requested({ stopped, hurried }: ReturnType<typeof serving>) {
  const none = Promise.resolve("nothing" as const);
  return [await Promise.race([stopped, none]), await Promise.race([hurried, none])];
}

test.each([
  { signals: [], stopped: "nothing", hurried: "nothing", exitCodes: [] },
  { signals: ["SIGTERM"], stopped: "SIGTERM", hurried: "nothing", exitCodes: [] },
  { signals: ["SIGINT"], stopped: "SIGINT", hurried: "nothing", exitCodes: [] },
  { signals: ["SIGQUIT"], stopped: "SIGQUIT", hurried: "nothing", exitCodes: [] },
  { signals: ["SIGABRT"], stopped: "SIGABRT", hurried: "nothing", exitCodes: [] },
  { signals: ["SIGXCPU"], stopped: "SIGXCPU", hurried: "nothing", exitCodes: [] },
  { signals: ["SIGTERM", "SIGINT"], stopped: "SIGTERM", hurried: "SIGINT", exitCodes: [] },
  { signals: ["SIGTERM", "SIGQUIT"], stopped: "SIGTERM", hurried: "SIGQUIT", exitCodes: [] },
  {
    signals: ["SIGTERM", "SIGTERM", "SIGTERM"],
    stopped: "SIGTERM",
    hurried: "SIGTERM",
    exitCodes: [143],
  },
  {
    signals: ["SIGQUIT", "SIGTERM", "SIGINT"],
    stopped: "SIGQUIT",
    hurried: "SIGTERM",
    exitCodes: [130],
  },
])(
  "$signals: stopped by $stopped, hurried by $hurried, exit codes $exitCodes",
  async (expected) => {
    const running = serving();

    for (const signal of expected.signals) running.process.emit(signal);

    expect(await requested(running)).toEqual([expected.stopped, expected.hurried]);
    expect(running.process.exitCodes).toEqual([...expected.exitCodes]);
  },
);

// A closed terminal sends several SIGHUP, and the kernel sends SIGXCPU every second.
test.each(["SIGHUP", "SIGXCPU"])(
  "repeated %s requests one stop and hurries nothing",
  async (signal) => {
    const running = serving(true);

    for (let count = 0; count < 5; count += 1) running.process.emit(signal);
    const afterFive = await requested(running);
    running.process.emit("SIGTERM");

    expect(afterFive).toEqual([signal, "nothing"]);
    expect(await requested(running)).toEqual([signal, "SIGTERM"]);
    expect([running.reloads, running.process.exitCodes]).toEqual([[], []]);
  },
);

test.each([
  { signal: "SIGTERM", immediate: false },
  { signal: "SIGINT", immediate: false },
  { signal: "SIGHUP", immediate: false },
  { signal: "SIGXCPU", immediate: false },
  { signal: "SIGQUIT", immediate: true },
  { signal: "SIGABRT", immediate: true },
] as const)("a stop at $signal skips the grace period: $immediate", ({ signal, immediate }) => {
  expect(isImmediate(signal)).toBe(immediate);
});

test("SIGHUP after a stop signal does not hurry the stop", async () => {
  const running = serving(true);

  running.process.emit("SIGTERM");
  running.process.emit("SIGHUP");

  expect(await requested(running)).toEqual(["SIGTERM", "nothing"]);
});

test("each SIGHUP reloads if a hangup does not stop", async () => {
  const running = serving(false);

  running.process.emit("SIGHUP");
  running.process.emit("SIGHUP");

  expect(running.reloads).toEqual(["reload", "reload"]);
  expect(await requested(running)).toEqual(["nothing", "nothing"]);
});

test.each(["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO"])(
  "%s is handled without an effect",
  async (signal) => {
    const running = serving();

    const isListenedTo = running.process.emit(signal);

    expect(isListenedTo).toBe(true);
    expect(await requested(running)).toEqual(["nothing", "nothing"]);
    expect([running.reloads, running.process.exitCodes]).toEqual([[], []]);
  },
);

test("signals that the runtime cannot handle are ignored by the system", () => {
  const { ignored } = serving();

  expect(ignored).toEqual([16, ...Array.from({ length: 31 }, (_, at) => 34 + at)]);
});

test("every signal of the system is handled, ignored, or listed as untouched", () => {
  const { process, ignored } = serving();

  const unhandled = Object.entries(constants.signals).filter(
    ([name, number]) =>
      process.listenerCount(name) === 0 && !ignored.includes(number) && !isUntouched(name),
  );

  expect(unhandled).toEqual([]);
});

function isUntouched(name: string): boolean {
  return UNTOUCHED_SIGNALS.has(name as NodeJS.Signals);
}

const MODULE = join(import.meta.dir, "../../../src/adapters/signals/serve-signals.ts");
const SCRIPT = `
  import { hasControllingTerminal } from ${JSON.stringify(MODULE)};
  process.exit(hasControllingTerminal() ? 10 : 20);
`;

test("a process started by a terminal has a controlling one without standard streams", async () => {
  const argv = ["sh", "-c", 'exec "$@" </dev/null >/dev/null 2>&1', "sh"];
  const child = Bun.spawn([...argv, process.execPath, "-e", SCRIPT], { terminal: {} });

  expect(await child.exited).toBe(10);
});

test("a process in its own session has no controlling terminal", async () => {
  const child = Bun.spawn([process.execPath, "-e", SCRIPT], { detached: true });

  expect(await child.exited).toBe(20);
});

test("a system without /dev/tty has no controlling terminal", () => {
  expect(hasControllingTerminal("/nowhere/tty")).toBe(false);
});

const SIGSTKFLT = 16;

test("ignore() returns whether the signal was ignored before", () => {
  const { ignore } = nativeSignals();

  expect([ignore(SIGSTKFLT), ignore(SIGSTKFLT)]).toEqual([false, true]);
});

test("a process survives ignored signals", async () => {
  const script = `
    import { nativeSignals } from "${MODULE}";
    const { ignore } = nativeSignals();
    for (const signal of [16, 34, 64]) {
      ignore(signal);
      process.kill(process.pid, signal);
    }
    console.log("survived");
  `;

  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });

  expect(await child.stdout.text()).toBe("survived\n");
  expect(await child.exited).toBe(0);
});

test("without a C library, ignore() returns false and does not throw", () => {
  const { ignore } = nativeSignals(["libnothing.so.0"]);

  expect([ignore(SIGSTKFLT), ignore(SIGSTKFLT)]).toEqual([false, false]);
});
