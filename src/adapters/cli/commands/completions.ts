import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { usageFailure } from "../command/answer-form.ts";
import type { CommandRun } from "../command/command-run.ts";
import {
  SHELLS,
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  SERVE_OPTIONS,
} from "../usage/command-table.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { suggestion } from "../../../domain/text/nearest-word.ts";
import { OPTION_NAMES, OPTIONS, type OptionName } from "../usage/option-table.ts";

export async function completions(run: CommandRun): Promise<ExitCode> {
  const [name = ""] = run.operands;
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined) {
    const choice = `${quotePeerText(name)}" is not one of ${SHELLS.join(", ")}`;
    throw usageFailure(`the shell "${choice}${suggestion(name, SHELLS)}`);
  }
  run.stdout.write(COMPLETION_SCRIPTS[shell]());
  return EXIT_CODE.ok;
}

/** Scripts that complete commands, options, and values that are one of a few words. */
export const COMPLETION_SCRIPTS: Readonly<Record<(typeof SHELLS)[number], () => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const FILE_COMMAND: CommandName = "send";
const SHELL_COMMAND: CommandName = "completions";

const WORD_OPTIONS = OPTION_NAMES.filter((name) => OPTIONS[name].words !== undefined);
const FILE_OPTIONS = OPTION_NAMES.filter((name) => OPTIONS[name].isFile === true);

function dashed(options: readonly OptionName[]): string {
  return options.map((name) => `--${name}`).join(" ");
}

function wordsOf(name: OptionName): string {
  return (OPTIONS[name].words ?? []).join(" ");
}

function bashScript(): string {
  const optionCases = COMMAND_NAMES.map(
    (name) => `    ${name}) words="${dashed(COMMANDS[name].options)}" ;;`,
  );
  const valueCases = WORD_OPTIONS.map(
    (name) =>
      `    --${name}) COMPREPLY=($(compgen -W "${wordsOf(name)}" -- "$current")); return ;;`,
  );
  const fileCases = FILE_OPTIONS.map((name) => `--${name}`).join("|");
  return `# Completions of spanring for bash: source <(spanring completions bash)
_spanring() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words
  COMPREPLY=()
  case $previous in
${valueCases.join("\n")}
    ${fileCases}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [[ $COMP_CWORD -eq 1 ]]; then
    words="${COMMAND_NAMES.join(" ")} ${dashed(SERVE_OPTIONS)}"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${optionCases.join("\n")}
  esac
  if [[ \${COMP_WORDS[1]} == ${FILE_COMMAND} && $current != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  elif [[ \${COMP_WORDS[1]} == ${SHELL_COMMAND} && $current != -* ]]; then
    COMPREPLY=($(compgen -W "${SHELLS.join(" ")}" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o filenames -F _spanring spanring
`;
}

function zshScript(): string {
  const commands = COMMAND_NAMES.map((name) => `    ${zshPair(name, COMMANDS[name].summary)}`);
  const cases = COMMAND_NAMES.map((name) => {
    const words = [...COMMANDS[name].options.map(zshOption), zshOperand(name)];
    return `      ${name}) _arguments ${words.join(" \\\n        ")} ;;`;
  });
  const serve = SERVE_OPTIONS.map((option) => `    ${zshOption(option)}`);
  return `#compdef spanring
# Completions of spanring for zsh.
_spanring() {
  local state
  local -a commands
  commands=(
${commands.join("\n")}
  )
  _arguments -C \\
${serve.join(" \\\n")} \\
    '1: :->command' \\
    '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments) case $words[1] in
${cases.join("\n")}
    esac ;;
  esac
}
if [[ $funcstack[1] == _spanring ]]; then _spanring "$@"; else compdef _spanring spanring; fi
`;
}

function zshPair(name: string, meaning: string): string {
  return singleQuoted(`${name}:${meaning}`);
}

/** Returns an option as zsh expects it, such as `--limit[maximum number]:N:`. */
function zshOption(name: OptionName): string {
  const { value, meaning, words, isFile, isRepeatable } = OPTIONS[name];
  const escapedMeaning = meaning.replaceAll(/[[\]:]/g, "\\$&");
  const action = words === undefined ? (isFile === true ? "_files" : "") : `(${words.join(" ")})`;
  const argument = value === undefined ? "" : `:${value.replaceAll(/[[\]:]/g, "")}:${action}`;
  return singleQuoted(`${isRepeatable === true ? "*" : ""}--${name}[${escapedMeaning}]${argument}`);
}

function zshOperand(name: CommandName): string {
  if (name === FILE_COMMAND) return "'*:file:_files'";
  return name === SHELL_COMMAND ? `'1:shell:(${SHELLS.join(" ")})'` : "'*::'";
}

function fishScript(): string {
  const isFirst = "-n __fish_use_subcommand";
  const serve = SERVE_OPTIONS.map((name) => `complete -c spanring ${isFirst} ${fishOption(name)}`);
  const commands = COMMAND_NAMES.map((name) => {
    const summary = singleQuoted(COMMANDS[name].summary);
    return `complete -c spanring ${isFirst} -a ${name} -d ${summary}`;
  });
  const options = COMMAND_NAMES.flatMap((name) =>
    COMMANDS[name].options.map(
      (option) => `complete -c spanring ${fishSeen(name)} ${fishOption(option)}`,
    ),
  );
  return `# Completions of spanring for fish.
complete -c spanring -f
${[...serve, ...commands, ...options].join("\n")}
complete -c spanring ${fishSeen(FILE_COMMAND)} -F
complete -c spanring ${fishSeen(SHELL_COMMAND)} -a '${SHELLS.join(" ")}'
`;
}

function fishSeen(name: CommandName): string {
  return `-n '__fish_seen_subcommand_from ${name}'`;
}

function fishOption(name: OptionName): string {
  const { value, meaning, words, isFile, short } = OPTIONS[name];
  const letter = short === undefined ? "" : `-s ${short} `;
  const isValue = value === undefined ? "" : isFile === true ? "-r -F " : "-x ";
  const choice = words === undefined ? "" : `-a ${singleQuoted(words.join(" "))} `;
  return `${letter}-l ${name} ${isValue}${choice}-d ${singleQuoted(meaning)}`;
}

/** Quotes text for all three shells: a quote ends the string, is escaped, and begins it again. */
function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
