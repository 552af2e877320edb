import type { Environment, Config, ForwardConfig, Mistake } from "../../../config/config.ts";
import type { CommandArguments } from "../usage/arguments.ts";
import type { SleepingClock } from "../../../ports/clock.ts";
import type { CommandName } from "../usage/command-table.ts";
import { OPTIONS, type OptionName } from "../usage/option-table.ts";
import { type Palette, paletteFor } from "../output/palette.ts";
import type { ExitCode } from "../output/exit-code.ts";
import type { NotedSignals } from "../output/foreground.ts";
import type { TextStream } from "../output/text-stream.ts";
import type { InspectedLog } from "../../../application/log/inspect-log.ts";
import type { LoggedBuffer } from "../../../application/ring/logged-buffer.ts";
import type { ExporterCounts } from "../../../application/receiving/exporter-counts.ts";
import type { ProblemTotal } from "../../../application/receiving/problem-registry.ts";
import type { SpanSink } from "../../../ports/span-sink.ts";
import type { TopicSource } from "../../../ports/topic-source.ts";
import type { TailParts } from "../../../application/waiting/tail-spans.ts";
import type { WaitParts } from "../../../application/waiting/wait-for-spans.ts";

/** A command that is running, with everything it receives from outside. */
export interface CommandRun extends CommandArguments {
  readonly command: CommandName;
  readonly env: Environment;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly stdin: () => AsyncIterable<Uint8Array>;
  readonly clock: SleepingClock;
  /** Returns a signal that Ctrl-C or SIGTERM aborts. Before this call, they end the program. */
  readonly interruption: () => AbortSignal;
  /** Returns the exit code of a command that this has ended; undefined before the signal. */
  readonly interruptedCode: () => ExitCode | undefined;
  /** Receives the signals that are passed on to a command. */
  readonly signals: NotedSignals;
  readonly startReceiver: StartReceiver;
  readonly inspectDirectory: InspectDirectory;
  readonly openSink: OpenSink;
  readonly openTopic: OpenTopic;
}

/** Resolves to the exit code. Throws a `CommandFailure` if it fails. */
export type Command = (run: CommandRun) => Promise<number>;

export function valueOf({ options }: CommandRun, wanted: OptionName): string | undefined {
  return options.find(({ name }) => name === wanted)?.value;
}

export function isGiven(run: CommandRun, option: OptionName): boolean {
  return valueOf(run, option) !== undefined;
}

/** Returns the options that are query parameters of the API, in the order written. */
export function queryOf({ options }: CommandRun): [name: string, value: string][] {
  return options
    .filter(({ name }) => OPTIONS[name].isParameter === true)
    .map(({ name, value }) => [name.replaceAll("-", "_"), value]);
}

/** Returns the colours for text that is printed on `stream`. */
export function paletteOf({ env }: CommandRun, stream: Pick<TextStream, "isTerminal">): Palette {
  return paletteFor(stream, env);
}

/** Prints a line on standard error. */
export function report({ stderr }: CommandRun, message: string): void {
  stderr.write(`spanring: ${message}\n`);
}

/** A receiver in this process, while a command runs. */
export interface Receiver {
  readonly ports: Readonly<Record<"grpc" | "http" | "api", number | "off">>;
  readonly buffer: LoggedBuffer;
  readonly arrivals: WaitParts["arrivals"] & TailParts["arrivals"];
  /** Returns what was refused or discarded since the start, with counts. */
  readonly problems: () => readonly ProblemTotal[];
  /** Returns what exporters have done since the start. */
  readonly exporters: () => ExporterCounts;
  stop(): Promise<void>;
}

/** Starts a receiver. Rejects if it cannot listen. */
export type StartReceiver = (config: Config) => Promise<Receiver>;

/**
 * Reads and verifies the log in a directory, and changes nothing. If that is not possible, rejects
 * with a `CannotInspectError`.
 */
export type InspectDirectory = (path: string) => Promise<InspectedLog>;

/** Opens a sink for these settings, or returns the mistakes in their files. */
export type OpenSink = (
  forward: ForwardConfig,
) => Promise<
  | { readonly ok: true; readonly sink: SpanSink }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }
>;

/** Opens the topic of these settings to read it, or returns the mistakes in their files. */
export type OpenTopic = (
  forward: ForwardConfig,
) => Promise<
  | { readonly ok: true; readonly source: TopicSource }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] }
>;

/** Says why a log cannot be inspected; the message is safe for a terminal. */
export class CannotInspectError extends Error {
  override name = "CannotInspectError";
}
