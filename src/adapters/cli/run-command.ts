import type { Environment } from "../../config/config.ts";
import { readCommandArguments } from "./usage/command-arguments.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import { SYSTEM_CLOCK } from "../clock/system-clock.ts";
import { COMMAND_FUNCTIONS } from "./command-functions.ts";
import { commandHelp } from "./usage/command-help.ts";
import type { CommandRun } from "./command/command-run.ts";
import type { CommandName } from "./usage/command-table.ts";
import { EXIT_CODE } from "./command/exit-code.ts";
import { paletteFor } from "./render/palette.ts";
import type { StartReceiver } from "./run/receiver.ts";
import type { TextStream } from "./output/text-stream.ts";

/** What any command is given from outside. */
export interface CommandSurroundings {
  readonly env: Environment;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Resolves when the program is told to stop; asking for it keeps the signal from ending it. */
  readonly stopped: () => Promise<unknown>;
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  readonly clock?: SleepingClock;
  readonly startReceiver: StartReceiver;
}

/** Runs one of the commands. Throws a `CommandFailure` when it cannot do its work. */
export async function runCommand(
  surroundings: CommandSurroundings,
  command: CommandName,
  argv: readonly string[],
): Promise<number> {
  const { env, stdout, stderr, startReceiver } = surroundings;
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
  const run = { ...reading, command, env, stdout, stderr, stdin, clock, startReceiver };
  return await runToEnd({ ...run, interruption: interruption.signal }, interruption.isGiven);
}

type Reading = ReturnType<typeof readCommandArguments>;

/** Also beside a missing operand, but not beside what is not known. */
function asksForHelp(reading: Reading, argv: readonly string[]): boolean {
  if (!("mistake" in reading)) return reading.options.some(({ name }) => name === "help");
  return argv.length === 1 && (argv[0] === "--help" || argv[0] === "-h");
}

async function runToEnd(run: CommandRun, isInterrupted: () => boolean): Promise<number> {
  try {
    return await COMMAND_FUNCTIONS[run.command](run);
  } catch (error) {
    if (isInterrupted()) return EXIT_CODE.interrupted;
    throw error;
  }
}

function interruptionOf(stopped: () => Promise<unknown>) {
  let controller: AbortController | undefined;
  return {
    isGiven: () => controller?.signal.aborted === true,
    signal: (): AbortSignal => {
      if (controller !== undefined) return controller.signal;
      const created = new AbortController();
      controller = created;
      void stopped().then(() => created.abort());
      return created.signal;
    },
  };
}
