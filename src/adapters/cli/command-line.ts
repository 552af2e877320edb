import { VARIABLE_NAMES } from "../../config/variables.ts";
import {
  moreMistakes,
  readConfig,
  type Config,
  type ConfigReading,
  type ConfigWarning,
  type Mistake,
} from "../../config/config.ts";
import type { Announcement } from "./announce-server.ts";
import { prepareReadyFile } from "./files/ready-file.ts";
import { readArguments, unknownArgument, unknownTopic } from "./usage/arguments.ts";
import { CommandFailure, EXIT_CODE } from "./output/exit-code.ts";
import { helpText, topicText } from "./usage/help.ts";
import { paletteFor } from "./output/palette.ts";
import { type CommandSurroundings, runCommand } from "./run-command.ts";

/** The result of checking a configuration on this machine. */
export interface CheckedStart {
  /** The mistakes, each of which prevents a start. */
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly ConfigWarning[];
}

/** The inputs that the program receives from outside. */
export interface CommandLine extends CommandSurroundings {
  /** The arguments without the name of the program. */
  readonly argv: readonly string[];
  readonly version: string;
  /** Performs the checks of a start, except listening. */
  readonly checkStart: (config: Config) => Promise<CheckedStart>;
  /** Runs until a signal stops the program. Resolves to its exit code. */
  readonly serve: (
    config: Config,
    warnings: readonly ConfigWarning[],
    announcement: Announcement,
  ) => Promise<number>;
}

/** Executes a command line, with data on standard output and messages on standard error. */
export async function runCommandLine(line: CommandLine): Promise<number> {
  try {
    return await answer(line);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    line.stderr.write(`spanring: ${error.message}\n`);
    return error.exitCode;
  }
}

async function answer(line: CommandLine): Promise<number> {
  const request = readArguments(line.argv);
  switch (request.command) {
    case "help":
      return print(line, helpText(line.version, paletteFor(line.stdout, line.env)));
    case "topic":
      return print(line, topicText(request.topic, paletteFor(line.stdout, line.env)));
    case "unknown topic":
      return refuse(line, `spanring: ${unknownTopic(request.argument)}\nSee spanring help.\n`);
    case "version":
      return print(line, `spanring ${line.version}\n`);
    case "check":
      return await check(line);
    case "serve":
      return await serve(line, request);
    case "client":
      return await runCommand(line, request.name, request.argv);
    case "mistake":
      return refuse(line, `spanring: ${request.mistake}\nSee spanring --help.\n`);
    case "unknown":
      return refuse(line, `spanring: ${unknownArgument(request.argument)}\nSee spanring --help.\n`);
  }
}

async function check(line: CommandLine): Promise<number> {
  const reading = readConfig(line.env);
  const checked = await line.checkStart(reading.ok ? reading.config : reading.rest);
  const mistakes = moreMistakes(reading.ok ? [] : reading.mistakes, checked.mistakes);
  for (const { variable, message } of new Set([...reading.warnings, ...checked.warnings])) {
    line.stderr.write(`spanring: warning: ${variable}: ${message}\n`);
  }
  if (!reading.ok || mistakes.length > 0) return refuse(line, mistakesText(mistakes));
  return print(line, settingsText(reading));
}

async function serve(line: CommandLine, announcement: Announcement): Promise<number> {
  const reading = readConfig(line.env);
  if (!reading.ok) return refuse(line, mistakesText(reading.mistakes));
  if (announcement.readyFile !== undefined) prepareReadyFile(announcement.readyFile);
  return await line.serve(reading.config, reading.warnings, announcement);
}

function print({ stdout }: CommandLine, text: string): number {
  stdout.write(text);
  return EXIT_CODE.ok;
}

function refuse({ stderr }: CommandLine, text: string): number {
  stderr.write(text);
  return EXIT_CODE.badUsage;
}

function settingsText({ settings }: Extract<ConfigReading, { ok: true }>): string {
  return VARIABLE_NAMES.map((name) => `${name}=${settings[name]}\n`).join("");
}

function mistakesText(mistakes: readonly Mistake[]): string {
  const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
  const lines = mistakes.map((mistake) => `  ${mistakeText(mistake)}\n`).join("");
  return `spanring: ${count} in the environment\n${lines}See spanring help environment.\n`;
}

function mistakeText({ variable, value, bound }: Mistake): string {
  return `${variable}="${value}": must be ${bound}`;
}
