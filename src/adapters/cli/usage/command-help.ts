import { EXIT_CODE } from "../output/exit-code.ts";
import type { Palette } from "../output/palette.ts";
import type { CommandSpec } from "./command-spec.ts";
import { COMMANDS, type CommandName, meaningIn } from "./command-table.ts";
import { OPTIONS, type OptionName, optionUsage } from "./option-table.ts";

const HELP_COLUMNS = 100;
const TEXT_COLUMNS = 80;

/** Returns the output of `spanring COMMAND --help`. */
export function commandHelp(command: CommandName, palette: Palette): string {
  const spec = COMMANDS[command];
  const usage = `spanring ${command} [OPTIONS] ${spec.operands}`.trimEnd();
  const exits = commandExitCodes(command).map(
    ([code, meaning]) => `  ${palette.word(code)}  ${meaning}`,
  );
  const sections = [
    `${palette.heading(usage)}\n  ${spec.summary}`,
    spec.details.map((paragraph) => Bun.wrapAnsi(paragraph, TEXT_COLUMNS)).join("\n"),
    [palette.heading("Options"), ...optionLines(command, palette)].join("\n"),
    [palette.heading("Exit codes"), ...exits].join("\n"),
    ...(spec.examples.length === 0 ? [] : [commandExamples(spec, palette)]),
  ];
  return `${sections.join("\n\n")}\n`;
}

function optionLines(command: CommandName, { word }: Palette): string[] {
  const { options } = COMMANDS[command];
  const usages = options.map(usageWithShort);
  const width = Math.max(...usages.map((usage) => usage.length)) + 2;
  return options.map((name, index) => {
    const usage = usages[index]!;
    const meaning = wrapped(meaningIn(command, name), width + 2);
    return `  ${word(usage)}${" ".repeat(width - usage.length)}${meaning}`;
  });
}

/** Wraps a text that begins after so many columns; its other lines begin below the first. */
function wrapped(text: string, columnsBefore: number): string {
  const lines = Bun.wrapAnsi(text, HELP_COLUMNS - columnsBefore).split("\n");
  return lines.join(`\n${" ".repeat(columnsBefore)}`);
}

function usageWithShort(name: OptionName): string {
  const { short } = OPTIONS[name];
  return short === undefined ? optionUsage(name) : `${optionUsage(name)}, -${short}`;
}

function commandExitCodes(command: CommandName): (readonly [code: string, meaning: string])[] {
  const { found, notFound, isLocal = false, isSilent = false, otherExits = [] } = COMMANDS[command];
  const { untilInterrupted = false, hasAnyExitCode = false } = COMMANDS[command];
  const ended = untilInterrupted ? ENDED_AT_ONCE : ENDED;
  return [
    [String(EXIT_CODE.ok), found],
    ...(notFound === undefined ? [] : [[String(EXIT_CODE.notFound), notFound] as [string, string]]),
    [String(EXIT_CODE.badUsage), "the command line is invalid; nothing was tried"],
    ...(isLocal ? [] : [[String(EXIT_CODE.cannotConnect), NO_ANSWER] as [string, string]]),
    ...(isSilent ? [] : [[String(EXIT_CODE.cannotWrite), NO_ROOM] as [string, string]]),
    ...otherExits,
    ...(hasAnyExitCode ? [] : [[ENDED_CODES, ended] as [string, string]]),
  ];
}

/** The exit codes of a program that a signal has ended. */
export const ENDED_CODES = `${EXIT_CODE.interrupted}, ${EXIT_CODE.terminated}`;

const ENDED = "ended by Ctrl-C or SIGTERM";
const ENDED_AT_ONCE = "ended at once by a second Ctrl-C or SIGTERM";
const NO_ANSWER = "cannot connect, or unusable response";
const NO_ROOM = "cannot write to standard output, for example because a disk is full";

function commandExamples({ examples: lines }: CommandSpec, { heading }: Palette): string {
  return [heading("Examples"), ...lines.map((line) => `  ${line}`)].join("\n");
}
