import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { usageFailure } from "../command/answer-form.ts";
import type { CommandRun } from "../command/command-run.ts";
import {
  SHELLS,
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  HELP_TOPICS,
  meaningIn,
  SERVE_OPTIONS,
  SERVE_WORDS,
} from "../usage/command-table.ts";
import { services as servicesMessage } from "../../api-messages/messages.ts";
import { askForSuccess, messageIn } from "../api/ask-api.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { suggestion } from "../../../domain/text/nearest-word.ts";
import { OPTION_NAMES, OPTIONS, type OptionName } from "../usage/option-table.ts";

export async function completions(run: CommandRun): Promise<ExitCode> {
  const [name = ""] = run.operands;
  if (name === SERVICES) return await printServices(run);
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined) {
    const choice = `${quotePeerText(name)}" is not one of ${SHELLS.join(", ")}`;
    throw usageFailure(`the shell "${choice}${suggestion(name, SHELLS)}`);
  }
  run.stdout.write(COMPLETION_SCRIPTS[shell]());
  return EXIT_CODE.ok;
}

/** The operand that lists services instead of printing a script, which uses the list. */
const SERVICES = "services";

/**
 * Matches names without a meaning to any shell: scripts pass the list to \`compgen\`, for example,
 * which would execute a substitution in it, and any peer can choose such a name.
 */
const PLAIN_NAME = /^[\w.:@+][\w.:@+-]*$/;

async function printServices(run: CommandRun): Promise<ExitCode> {
  const response = await askForSuccess(run, { path: "/api/services" });
  const { services } = await messageIn(response, servicesMessage);
  const plain = services.filter(({ service }) => PLAIN_NAME.test(service));
  run.stdout.write(plain.map(({ service }) => `${service}\n`).join(""));
  return EXIT_CODE.ok;
}

/**
 * Scripts that complete commands, options, values that are one of a few words, and the services of
 * the running spanring.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<(typeof SHELLS)[number], () => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const FILE_COMMAND: CommandName = "send";
const SHELL_COMMAND: CommandName = "completions";

const HELP_WORDS = [...COMMAND_NAMES, ...HELP_TOPICS].join(" ");
const SERVICE_OPTION: OptionName = "service";
const LIST_SERVICES = `${SHELL_COMMAND} ${SERVICES} 2>/dev/null`;
const SERVICE_TAKERS = COMMAND_NAMES.filter((name) =>
  COMMANDS[name].options.includes(SERVICE_OPTION),
);
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
    --${SERVICE_OPTION})
      words="$(\${COMP_WORDS[0]} ${LIST_SERVICES})"
      COMPREPLY=($(compgen -W "$words" -- "$current")); return ;;
    ${fileCases}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [[ $COMP_CWORD -eq 1 ]]; then
    words="${[...COMMAND_NAMES, ...SERVE_WORDS].join(" ")} ${dashed(SERVE_OPTIONS)}"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${optionCases.join("\n")}
  esac
  if [[ \${COMP_WORDS[1]} == help ]]; then
    COMPREPLY=($(compgen -W "${HELP_WORDS}" -- "$current"))
  elif [[ \${COMP_WORDS[1]} == ${FILE_COMMAND} && $current != -* ]]; then
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
  const serveWords = SERVE_WORDS.map((name) => `    ${zshPair(name, OPTIONS[name].meaning)}`);
  const commands = COMMAND_NAMES.map((name) => `    ${zshPair(name, COMMANDS[name].summary)}`);
  const cases = COMMAND_NAMES.map((name) => {
    const words = [...zshOptions(name), zshOperand(name)];
    return `      ${name}) _arguments ${words.join(" \\\n        ")} ;;`;
  });
  const serve = SERVE_OPTIONS.map((option) => `    ${zshOption(option)}`);
  return `#compdef spanring
# Completions of spanring for zsh.
_spanring_services() {
  local -a services
  services=(\${(f)"$(spanring ${LIST_SERVICES})"})
  compadd -a services
}
_spanring() {
  local state
  local -a commands
  commands=(
${[...commands, ...serveWords].join("\n")}
  )
  _arguments -C \\
${serve.join(" \\\n")} \\
    '1: :->command' \\
    '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments) case $words[1] in
${cases.join("\n")}
      help) _arguments '1:topic:(${HELP_WORDS})' ;;
    esac ;;
  esac
}
if [[ $funcstack[1] == _spanring ]]; then _spanring "$@"; else compdef _spanring spanring; fi
`;
}

function zshPair(name: string, meaning: string): string {
  return singleQuoted(`${name}:${meaning}`);
}

function zshOptions(command: CommandName): string[] {
  return COMMANDS[command].options.map((name) => zshOption(name, meaningIn(command, name)));
}

/** Returns an option as zsh expects it, such as `--limit[maximum number]:N:`. */
function zshOption(name: OptionName, meaning = OPTIONS[name].meaning): string {
  const { value, words, isFile, isRepeatable } = OPTIONS[name];
  const escapedMeaning = meaning.replaceAll(/[[\]:]/g, "\\$&");
  const given = isFile === true ? "_files" : name === SERVICE_OPTION ? "_spanring_services" : "";
  const action = words === undefined ? given : `(${words.join(" ")})`;
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
  const words = SERVE_WORDS.map(
    (name) =>
      `complete -c spanring ${isFirst} -a ${name} -d ${singleQuoted(OPTIONS[name].meaning)}`,
  );
  const commands = COMMAND_NAMES.map((name) => {
    const summary = singleQuoted(COMMANDS[name].summary);
    return `complete -c spanring ${isFirst} -a ${name} -d ${summary}`;
  });
  const options = COMMAND_NAMES.flatMap((name) =>
    COMMANDS[name].options.map(
      (option) =>
        `complete -c spanring ${fishSeen(name)} ${fishOption(option, meaningIn(name, option))}`,
    ),
  );
  return `# Completions of spanring for fish.
complete -c spanring -f
${[...serve, ...commands, ...words, ...options].join("\n")}
complete -c spanring ${fishSeen(SERVICE_TAKERS.join(" "))} \\
  -l ${SERVICE_OPTION} -x -a '(spanring ${LIST_SERVICES})'
complete -c spanring -n '__fish_seen_subcommand_from help' -a '${HELP_WORDS}'
complete -c spanring ${fishSeen(FILE_COMMAND)} -F
complete -c spanring ${fishSeen(SHELL_COMMAND)} -a '${SHELLS.join(" ")}'
`;
}

function fishSeen(name: string): string {
  return `-n '__fish_seen_subcommand_from ${name}'`;
}

function fishOption(name: OptionName, meaning = OPTIONS[name].meaning): string {
  const { value, words, isFile, short } = OPTIONS[name];
  const letter = short === undefined ? "" : `-s ${short} `;
  const isValue = value === undefined ? "" : isFile === true ? "-r -F " : "-x ";
  const choice = words === undefined ? "" : `-a ${singleQuoted(words.join(" "))} `;
  return `${letter}-l ${name} ${isValue}${choice}-d ${singleQuoted(meaning)}`;
}

/** Quotes text for all three shells: a quote ends the string, is escaped, and begins it again. */
function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
