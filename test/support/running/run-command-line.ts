import type { SleepingClock } from "../../../src/ports/clock.ts";
import { runCommandLine } from "../../../src/adapters/cli/command-line.ts";
import type {
  InspectDirectory,
  OpenSink,
  OpenTopic,
  StartReceiver,
} from "../../../src/adapters/cli/command/command-run.ts";
import { noteInterrupts } from "../../../src/adapters/cli/output/foreground.ts";
import type { TextStream } from "../../../src/adapters/cli/output/text-stream.ts";
import type { Environment } from "../../../src/config/config.ts";
import { writtenText } from "../fakes/written-text.ts";

export interface CommandSurroundings {
  readonly env?: Environment;
  /** The width of the terminal; without it, output goes to a pipe. */
  readonly columns?: number;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly stopped?: () => Promise<unknown>;
  readonly clock?: SleepingClock;
  readonly startReceiver?: StartReceiver;
  readonly inspectDirectory?: InspectDirectory;
  readonly openSink?: OpenSink;
  readonly openTopic?: OpenTopic;
  /** The reader of the output leaves after this many writes. */
  readonly readerLeavesAfter?: number;
  /** These replace the streams whose text is returned. */
  readonly stdout?: TextStream;
  readonly stderr?: TextStream;
}

export interface CommandEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Uint8Array;
}

/** Runs a command in this process, like the program. */
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
    stderr: surroundings.stderr ?? stderr,
    checkStart: () => Promise.reject(new Error("nothing here starts")),
    serve: () => Promise.reject(new Error("nothing here serves")),
    startReceiver: surroundings.startReceiver ?? (() => Promise.reject(new Error("no receiver"))),
    inspectDirectory:
      surroundings.inspectDirectory ?? (() => Promise.reject(new Error("no directory"))),
    openSink: surroundings.openSink ?? (() => Promise.reject(new Error("no sink"))),
    openTopic: surroundings.openTopic ?? (() => Promise.reject(new Error("no topic"))),
    signals: noteInterrupts(process),
    stopped: surroundings.stopped ?? (() => new Promise(() => {})),
    ...(stdin === undefined ? {} : { stdin: () => stdin }),
    ...(clock === undefined ? {} : { clock }),
  });
  const bytes = stdout.bytes();
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), stdoutBytes: bytes };
}
