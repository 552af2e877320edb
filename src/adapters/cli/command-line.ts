import { readConfig } from "../../config.ts";
import type { Config, ConfigReading, ConfigWarning, Environment, Mistake } from "../../config.ts";
import { VARIABLE_NAMES } from "../../config-variables.ts";
import { quotePeerText } from "../../domain/quote-text.ts";
import { readArguments } from "./arguments.ts";
import { EXIT_CODE } from "./exit-code.ts";
import { helpText } from "./help.ts";
import type { TextStream } from "./text-stream.ts";

/** All that a run of the program is given from outside. */
export interface CommandLine {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly version: string;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Runs until the program is told to stop. Resolves to its exit code. */
  readonly serve: (config: Config, warnings: readonly ConfigWarning[]) => Promise<number>;
}

/** Does what the command line asks for: data on standard output, the rest on standard error. */
export async function runCommandLine(line: CommandLine): Promise<number> {
  const request = readArguments(line.argv);
  switch (request.command) {
    case "help":
      return print(line, helpText(line.version, isColoured(line)));
    case "version":
      return print(line, `spanring ${line.version}\n`);
    case "check":
      return check(line);
    case "serve":
      return serve(line);
    case "unknown":
      return refuse(line, unknownArgument(request.argument));
  }
}

function check(line: CommandLine): number {
  const reading = readConfig(line.env);
  for (const { variable, message } of reading.warnings) {
    line.stderr.write(`spanring: warning: ${variable}: ${message}\n`);
  }
  return reading.ok ? print(line, settingsText(reading)) : refuse(line, mistakesText(reading));
}

async function serve(line: CommandLine): Promise<number> {
  const reading = readConfig(line.env);
  if (!reading.ok) return refuse(line, mistakesText(reading));
  return await line.serve(reading.config, reading.warnings);
}

/** See no-color.org: any value that is not empty. */
function isColoured({ env, stdout }: CommandLine): boolean {
  return stdout.isTerminal && !env["NO_COLOR"];
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

function mistakesText({ mistakes }: Extract<ConfigReading, { ok: false }>): string {
  const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
  const lines = mistakes.map((mistake) => `  ${mistakeText(mistake)}\n`).join("");
  return `spanring: ${count} in the environment\n${lines}See spanring --help.\n`;
}

function mistakeText({ variable, value, bound }: Mistake): string {
  return `${variable}="${value}": must be ${bound}`;
}

function unknownArgument(argument: string): string {
  return `spanring: unknown argument "${quotePeerText(argument)}"\nSee spanring --help.\n`;
}
