import { COMMANDS, type CommandName, type CommandSpec } from "./command-table.ts";
import { EXIT_CODE } from "../command/exit-code.ts";
import { OPTIONS, type OptionName, optionUsage } from "./option-table.ts";
import type { Palette } from "../render/palette.ts";

const TEXT_COLUMNS = 80;

/** What `spanring COMMAND --help` prints, made from the tables. */
export function commandHelp(command: CommandName, palette: Palette): string {
  const spec = COMMANDS[command];
  const usage = `spanring ${command} [OPTIONS] ${spec.operands}`.trimEnd();
  const exits = exitCodes(command).map(([code, meaning]) => `  ${palette.word(code)}  ${meaning}`);
  const sections = [
    `${palette.heading(usage)}\n  ${spec.summary}`,
    spec.details.map((paragraph) => Bun.wrapAnsi(paragraph, TEXT_COLUMNS)).join("\n"),
    [palette.heading("Options"), ...optionLines(spec.options, palette)].join("\n"),
    [palette.heading("Exit codes"), ...exits].join("\n"),
    ...(spec.examples.length === 0 ? [] : [examples(spec, palette)]),
  ];
  return `${sections.join("\n\n")}\n`;
}

function optionLines(options: readonly OptionName[], { word }: Palette): string[] {
  const usages = options.map(usageWithShort);
  const width = Math.max(...usages.map((usage) => usage.length)) + 2;
  return options.map((name, index) => {
    const usage = usages[index]!;
    return `  ${word(usage)}${" ".repeat(width - usage.length)}${OPTIONS[name].meaning}`;
  });
}

function usageWithShort(name: OptionName): string {
  const { short } = OPTIONS[name];
  return short === undefined ? optionUsage(name) : `${optionUsage(name)}, -${short}`;
}

function exitCodes(command: CommandName): (readonly [code: string, meaning: string])[] {
  const { found, notFound, isLocal = false, isSilent = false, otherExits = [] } = COMMANDS[command];
  return [
    [String(EXIT_CODE.ok), found],
    ...(notFound === undefined ? [] : [[String(EXIT_CODE.notFound), notFound] as [string, string]]),
    [String(EXIT_CODE.badUsage), "the command line is wrong; nothing was tried"],
    ...(isLocal ? [] : [[String(EXIT_CODE.cannotConnect), NO_ANSWER] as [string, string]]),
    ...(isSilent ? [] : [[String(EXIT_CODE.cannotWrite), NO_ROOM] as [string, string]]),
    ...otherExits,
  ];
}

const NO_ANSWER = "cannot connect, or no answer of use";
const NO_ROOM = "standard output cannot be written, because a disk is full, for instance";

function examples({ examples: lines }: CommandSpec, { heading }: Palette): string {
  return [heading("Examples"), ...lines.map((line) => `  ${line}`)].join("\n");
}
