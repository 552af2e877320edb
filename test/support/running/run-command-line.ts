import type { SleepingClock } from "../../../src/ports/clock.ts";
import { runCommandLine } from "../../../src/adapters/cli/command-line.ts";
import type { StartReceiver } from "../../../src/adapters/cli/command/command-run.ts";
import type { TextStream } from "../../../src/adapters/cli/output/text-stream.ts";
import type { Environment } from "../../../src/config/config.ts";
import { writtenText } from "../fakes/written-text.ts";

export interface CommandSurroundings {
  readonly env?: Environment;
  /** Of a terminal; without it, output goes into a pipe. */
  readonly columns?: number;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly stopped?: () => Promise<unknown>;
  readonly clock?: SleepingClock;
  readonly startReceiver?: StartReceiver;
  /** Leaves after so many writes. */
  readonly readerLeavesAfter?: number;
  /** In place of the one whose text is given back. */
  readonly stdout?: TextStream;
}

export interface CommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Uint8Array;
}

/** Runs a command as the program does, in this process. */
export async function runCommands(
  argv: readonly string[],
  surroundings: CommandSurroundings = {},
): Promise<CommandEnd> {
  const { columns, stdin, readerLeavesAfter, clock } = surroundings;
  const isTerminal = columns !== undefined;
  const stdout = writtenText(isTerminal, columns, readerLeavesAfter);
  const stderr = writtenText(isTerminal, columns);
  const exitCode = await runCommandLine({
    argv,
    env: surroundings.env ?? { NO_COLOR: "1" },
    version: "1.2.3",
    stdout: surroundings.stdout ?? stdout,
    stderr,
    checkStart: () => Promise.reject(new Error("nothing here starts")),
    serve: () => Promise.reject(new Error("nothing here serves")),
    startReceiver: surroundings.startReceiver ?? (() => Promise.reject(new Error("no receiver"))),
    stopped: surroundings.stopped ?? (() => new Promise(() => {})),
    ...(stdin === undefined ? {} : { stdin: () => stdin }),
    ...(clock === undefined ? {} : { clock }),
  });
  const bytes = stdout.bytes();
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), stdoutBytes: bytes };
}
