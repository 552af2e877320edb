import { constants } from "node:os";
import type {
  Command,
  CommandRun,
  InspectDirectory,
  OpenSink,
  OpenTopic,
  StartReceiver,
} from "./command/command-run.ts";
import type { CommandName } from "./usage/command-table.ts";
import { clear, get, span, take } from "./commands/spans.ts";
import { completions } from "./commands/completions.ts";
import { healthcheck } from "./commands/healthcheck.ts";
import { log } from "./commands/log.ts";
import { runBeside } from "./commands/run.ts";
import { operations, services } from "./commands/services.ts";
import { send } from "./commands/send.ts";
import { stats } from "./commands/stats.ts";
import { tail } from "./commands/tail.ts";
import { token } from "./commands/token.ts";
import { traces } from "./commands/traces.ts";
import { wait } from "./commands/wait.ts";
import type { Environment } from "../../config/config.ts";
import { readCommandArguments } from "./usage/arguments.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import { SYSTEM_CLOCK } from "../clock/system-clock.ts";
import { commandHelp } from "./usage/command-help.ts";
import { EXIT_CODE, type ExitCode } from "./output/exit-code.ts";
import type { NotedSignals } from "./output/foreground.ts";
import { paletteFor } from "./output/palette.ts";
import type { TextStream } from "./output/text-stream.ts";

const COMMAND_FUNCTIONS: Readonly<Record<CommandName, Command>> = {
  tail,
  get,
  traces,
  span,
  services,
  operations,
  wait,
  take,
  stats,
  clear,
  send,
  run: runBeside,
  log,
  healthcheck,
  token,
  completions,
};

/** The inputs that a command receives from outside. */
export interface CommandSurroundings {
  readonly env: Environment;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Resolves to the first stop signal. Once called, the signal no longer ends the program. */
  readonly stopped: () => Promise<unknown>;
  /** Receives the signals that are passed on to a command. */
  readonly signals: NotedSignals;
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  readonly clock?: SleepingClock;
  readonly startReceiver: StartReceiver;
  readonly inspectDirectory: InspectDirectory;
  readonly openSink: OpenSink;
  readonly openTopic: OpenTopic;
}

/** Runs a command. Throws a `CommandFailure` if it fails. */
export async function runCommand(
  surroundings: CommandSurroundings,
  command: CommandName,
  argv: readonly string[],
): Promise<number> {
  const { env, stdout, stderr } = surroundings;
  const reading = readCommandArguments(command, argv);
  if (asksForHelp(reading, argv)) {
    stdout.write(commandHelp(command, paletteFor(stdout, env)));
    return EXIT_CODE.ok;
  }
  if ("mistake" in reading) {
    stderr.write(`spanring: ${reading.mistake}\nSee spanring ${command} --help.\n`);
    return EXIT_CODE.badUsage;
  }
  const interruption = interruptionOf(surroundings.stopped);
  const stdin = surroundings.stdin ?? Bun.stdin.stream.bind(Bun.stdin);
  const clock = surroundings.clock ?? SYSTEM_CLOCK;
  const { signal, exitCode: interruptedCode } = interruption;
  const run = { ...surroundings, ...reading, command, stdin, clock };
  return await runToEnd({ ...run, interruption: signal, interruptedCode });
}

type Reading = ReturnType<typeof readCommandArguments>;

/** Reports whether help was requested, by a valid command line or by `--help` alone. */
function asksForHelp(reading: Reading, argv: readonly string[]): boolean {
  if (!("mistake" in reading)) return reading.options.some(({ name }) => name === "help");
  return argv.length === 1 && (argv[0] === "--help" || argv[0] === "-h");
}

async function runToEnd(run: CommandRun): Promise<number> {
  try {
    return await COMMAND_FUNCTIONS[run.command](run);
  } catch (error) {
    const interruptedCode = run.interruptedCode();
    if (interruptedCode === undefined) throw error;
    return interruptedCode;
  }
}

function interruptionOf(stopped: CommandSurroundings["stopped"]): Interruption {
  let controller: AbortController | undefined;
  let exitCode: ExitCode | undefined;
  return {
    exitCode: () => exitCode,
    signal: (): AbortSignal => {
      if (controller !== undefined) return controller.signal;
      const created = new AbortController();
      controller = created;
      void stopped().then((given) => {
        exitCode = given === "SIGTERM" ? EXIT_CODE.terminated : EXIT_CODE.interrupted;
        return created.abort();
      });
      return created.signal;
    },
  };
}

interface Interruption {
  readonly signal: CommandRun["interruption"];
  readonly exitCode: CommandRun["interruptedCode"];
}

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The part of `process` that stop signals need. */
export interface SignalledProcess {
  on(signal: StopSignal, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Resolves with the first stop signal. A second one exits with the code that a shell reports for a
 * program that a signal has ended: a command has nothing to save.
 */
export function stopSignal(process: SignalledProcess): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let isStopped = false;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (isStopped) process.exit(128 + constants.signals[signal]);
      isStopped = true;
      resolve(signal);
    });
  }
  return promise;
}
