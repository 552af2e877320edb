import { parseArgs } from "node:util";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import {
  COMMAND_NAMES,
  HELP_TOPICS,
  type HelpTopic,
  type CommandName,
  isCommandName,
  SERVE_OPTIONS,
  SERVE_WORDS,
  COMMANDS,
} from "./command-table.ts";
import { suggestion } from "../../../domain/text/nearest-word.ts";
import { isOptionName, OPTIONS, type OptionName, optionUsage } from "./option-table.ts";

/** What a command line requests: to serve if it has no arguments. */
export type Request =
  | { readonly command: "check" | "help" | "version" }
  | {
      readonly command: "serve";
      readonly readyFile: string | undefined;
      readonly printsEnv: boolean;
    }
  | { readonly command: "mistake"; readonly mistake: string }
  | { readonly command: "topic"; readonly topic: HelpTopic }
  | { readonly command: "unknown topic"; readonly argument: string }
  | { readonly command: "client"; readonly name: CommandName; readonly argv: readonly string[] }
  | { readonly command: "unknown"; readonly argument: string };

type ServeOption = (typeof SERVE_OPTIONS)[number];

/** The order in which options win, the most harmless first. An unknown one overrides them. */
const PRECEDENCE = ["help", "version", "check"] as const;

export function readArguments(argv: readonly string[]): Request {
  const [first, ...rest] = argv;
  if (first !== undefined && isCommandName(first)) {
    return { command: "client", name: first, argv: rest };
  }
  if (first === "help") return readHelp(rest);
  if (first === "version") return { command: "version" };
  return readServeArguments(argv);
}

/** The only option of `spanring` without a command that has a value. */
const READY_FILE = "--ready-file";

function readServeArguments(argv: readonly string[]): Request {
  const written = withJoinedFile(argv);
  const unknown = written.find((argument) => serveOption(argument) === undefined);
  if (unknown !== undefined) return { command: "unknown", argument: unknown };
  const options = new Set(written.map(serveOption));
  const harmless = PRECEDENCE.find((command) => options.has(command));
  if (harmless !== undefined) return { command: harmless };
  const [file, another] = written.filter((argument) => serveOption(argument) === "ready-file");
  const readyFile = file?.slice(READY_FILE.length + 1);
  if (readyFile === "") return fileMistake(`needs a value: ${optionUsage("ready-file")}`);
  if (another !== undefined) return fileMistake("is given more than once");
  return { command: "serve", readyFile, printsEnv: options.has("print-env") };
}

function fileMistake(what: string): Request {
  return { command: "mistake", mistake: `${READY_FILE} ${what}` };
}

/** Joins `--ready-file FILE` into one argument, `--ready-file=FILE`. */
function withJoinedFile(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf(READY_FILE);
  const file = argv[at + 1];
  if (at === -1 || file === undefined || file.startsWith("-")) return argv;
  return [...argv.slice(0, at), `${READY_FILE}=${file}`, ...argv.slice(at + 2)];
}

/** Reads the arguments of `spanring help`. */
function readHelp([word, extra]: readonly string[]): Request {
  if (word === undefined) return { command: "help" };
  if (extra !== undefined) return { command: "unknown topic", argument: `${word} ${extra}` };
  if (isCommandName(word)) return { command: "client", name: word, argv: ["--help"] };
  const topic = HELP_TOPICS.find((known) => known === word);
  return topic === undefined
    ? { command: "unknown topic", argument: word }
    : { command: "topic", topic };
}

/** Describes a word that `spanring help` does not know, and suggests a known one. */
export function unknownTopic(argument: string): string {
  const known = [...HELP_TOPICS, ...COMMAND_NAMES];
  return `no help on "${quotePeerText(argument)}"${suggestion(argument, known)}`;
}

function serveOption(argument: string): ServeOption | undefined {
  if (argument.startsWith(`${READY_FILE}=`)) return "ready-file";
  return SERVE_OPTIONS.find(
    (name) => argument === `--${name}` || argument === `-${OPTIONS[name].short}`,
  );
}

/** Describes an unknown argument, and suggests a known one. */
export function unknownArgument(argument: string): string {
  const shown = quotePeerText(argument);
  const [name = ""] = argument.replace(/^--/, "").split("=");
  if (argument.startsWith("--") && isOptionName(name)) {
    const isOurs = SERVE_OPTIONS.some((option) => option === name);
    return isOurs
      ? `--${name} takes no value`
      : `--${name} follows a command: spanring COMMAND --${name}`;
  }
  const options = SERVE_OPTIONS.map((option) => `--${option}`);
  if (argument.startsWith("-") && argument !== "-") {
    return `unknown option "${shown}"${suggestion(argument, options)}`;
  }
  return `unknown command "${shown}"${suggestion(argument, [...COMMAND_NAMES, ...SERVE_WORDS])}`;
}

/** An option as the user wrote it; the value of a switch is "true". */
export interface WrittenOption {
  readonly name: OptionName;
  readonly value: string;
}

export interface CommandArguments {
  /** The options in the order written, because a near miss omits the last filter. */
  readonly options: readonly WrittenOption[];
  readonly operands: readonly string[];
}

/** A mistake in the arguments, as a sentence without the name of the program. */
export interface UsageMistake {
  readonly mistake: string;
}

/** Reads the arguments after the name of a command, and checks them against the tables. */
export function readCommandArguments(
  command: CommandName,
  argv: readonly string[],
): CommandArguments | UsageMistake {
  const given = withImpliedValues(argv);
  const unguarded = unguardedOperand(command, given);
  if (unguarded !== undefined) return { mistake: unguarded };
  try {
    const { tokens, positionals } = parse(command, given, true);
    const options = tokens.flatMap((token) =>
      token.kind === "option"
        ? [{ name: token.name as OptionName, value: token.value ?? "true" }]
        : [],
    );
    const mistake = repeatedOption(options) ?? operandMistake(command, positionals);
    return mistake === undefined ? { options, operands: positionals } : { mistake };
  } catch {
    return { mistake: optionMistake(command, given) };
  }
}

function parse(command: CommandName, args: readonly string[], strict: boolean) {
  return parseArgs({
    args: [...args],
    options: Object.fromEntries(COMMANDS[command].options.map((name) => [name, parseRule(name)])),
    strict,
    allowPositionals: true,
    tokens: true,
  });
}

function parseRule(name: OptionName) {
  const { value, short } = OPTIONS[name];
  const type = value === undefined ? ("boolean" as const) : ("string" as const);
  return { type, multiple: true, ...(short === undefined ? {} : { short }) };
}

/** Returns a mistake unless `--` precedes the command to run, whose options may look like ours. */
function unguardedOperand(command: CommandName, args: readonly string[]): string | undefined {
  const { operands, options } = COMMANDS[command];
  if (!operands.startsWith("-- ")) return undefined;
  const known: readonly string[] = options;
  const first = parse(command, args, false).tokens.find(
    (token) => token.kind !== "option" || !known.includes(token.name),
  );
  if (first?.kind !== "positional") return undefined;
  const usage = `spanring ${command} [OPTIONS] ${operands}`;
  return `"${quotePeerText(first.value)}" must follow --: ${usage}`;
}

/** Inserts optional values, which `parseArgs` does not support. */
function withImpliedValues(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  const isOption = (index: number) => end < 0 || index < end;
  return argv.flatMap((argument, index) => {
    const before = optionalValueOf(argv[index - 1]);
    if (before?.pattern.test(argument) && isOption(index)) return [];
    const optionalValue = optionalValueOf(argument);
    if (optionalValue === undefined || !isOption(index)) return [argument];
    const next = argv[index + 1] ?? "";
    return [`${argument}=${optionalValue.pattern.test(next) ? next : optionalValue.implied}`];
  });
}

function optionalValueOf(argument: string | undefined) {
  const name = argument?.startsWith("--") ? argument.slice(2) : "";
  return isOptionName(name) ? OPTIONS[name].optionalValue : undefined;
}

/** Describes the mistake that `parseArgs` has found, with the names that its message lacks. */
function optionMistake(command: CommandName, argv: readonly string[]): string {
  const known: readonly string[] = COMMANDS[command].options;
  for (const token of parse(command, argv, false).tokens) {
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    if (!known.includes(name)) return unknownOption(command, name, rawName);
    const isSwitch = OPTIONS[name as OptionName].value === undefined;
    if (isSwitch && value !== undefined) return `${rawName} takes no value`;
    if (isSwitch || inlineValue === true) continue;
    const usage = optionUsage(name as OptionName);
    if (value === undefined) return `${rawName} needs a value: ${usage}`;
    if (value.startsWith("-") && value !== "-") {
      return `${rawName} needs a value: ${usage}, or ${rawName}=VALUE for one that begins with -`;
    }
  }
  return `cannot parse these arguments`;
}

function unknownOption(command: CommandName, name: string, rawName: string): string {
  if (isOptionName(name)) {
    const takers = COMMAND_NAMES.filter((other) => COMMANDS[other].options.includes(name));
    const others =
      takers.length === 0
        ? "only spanring itself accepts it"
        : `it belongs to ${takers.join(", ")}`;
    return `${command} does not accept ${rawName}; ${others}`;
  }
  const names = COMMANDS[command].options.map((option) => `--${option}`);
  return `unknown option "${quotePeerText(rawName)}"${suggestion(rawName, names)}`;
}

function repeatedOption(options: readonly WrittenOption[]): string | undefined {
  const repeated = options.find(
    ({ name }, index) =>
      OPTIONS[name].isRepeatable !== true &&
      options.findIndex((option) => option.name === name) < index,
  );
  return repeated === undefined ? undefined : `--${repeated.name} is given more than once`;
}

function operandMistake(command: CommandName, given: readonly string[]): string | undefined {
  const { operands, minOperands, maxOperands } = COMMANDS[command];
  if (given.length < minOperands) return `${operands} is missing`;
  const extra = given[maxOperands];
  if (extra === undefined) return undefined;
  const takes = operands === "" ? "only options" : `${operands} and options`;
  return `unexpected argument "${quotePeerText(extra)}": ${command} takes ${takes}`;
}
