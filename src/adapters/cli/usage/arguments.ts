import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { COMMAND_NAMES, type CommandName, isCommandName, SERVE_OPTIONS } from "./command-table.ts";
import { suggestion } from "../../../domain/text/nearest-word.ts";
import { isOptionName, OPTIONS } from "./option-table.ts";

/** What the command line asks for; with no arguments, to serve. */
export type Request =
  | { readonly command: "serve" | "check" | "help" | "version" }
  | { readonly command: "client"; readonly name: CommandName; readonly argv: readonly string[] }
  | { readonly command: "unknown"; readonly argument: string };

type ServeOption = (typeof SERVE_OPTIONS)[number];

/** Of several options the most harmless wins, and one that is not known stops them all. */
const PRECEDENCE = ["help", "version", "check"] as const;

export function readArguments(argv: readonly string[]): Request {
  const [first, ...rest] = argv;
  if (first !== undefined && isCommandName(first)) {
    return { command: "client", name: first, argv: rest };
  }
  const unknown = argv.find((argument) => serveOption(argument) === undefined);
  if (unknown !== undefined) return { command: "unknown", argument: unknown };
  const asked = new Set(argv.map(serveOption));
  return { command: PRECEDENCE.find((command) => asked.has(command)) ?? "serve" };
}

function serveOption(argument: string): ServeOption | undefined {
  return SERVE_OPTIONS.find(
    (name) => argument === `--${name}` || argument === `-${OPTIONS[name].short}`,
  );
}

/** What is wrong with an argument that is not known, and what may have been meant. */
export function unknownArgument(argument: string): string {
  const shown = quotePeerText(argument);
  const [name = ""] = argument.replace(/^--/, "").split("=");
  if (argument.startsWith("--") && isOptionName(name)) {
    const isOurs = SERVE_OPTIONS.some((option) => option === name);
    return isOurs
      ? `--${name} takes no value`
      : `--${name} stands behind a command: spanring COMMAND --${name}`;
  }
  const options = SERVE_OPTIONS.map((option) => `--${option}`);
  if (argument.startsWith("-") && argument !== "-") {
    return `unknown option "${shown}"${suggestion(argument, options)}`;
  }
  return `unknown command "${shown}"${suggestion(argument, [...COMMAND_NAMES, ...options])}`;
}
