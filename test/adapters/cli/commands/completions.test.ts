import { expect, test } from "bun:test";
import {
  SHELLS,
  COMMAND_NAMES,
  COMMANDS,
  SERVE_OPTIONS,
} from "../../../../src/adapters/cli/usage/command-table.ts";
import { COMPLETION_SCRIPTS } from "../../../../src/adapters/cli/commands/completions.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import {
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
} from "../../../../src/adapters/cli/usage/option-table.ts";

test.each(SHELLS)("the script for %s is printed", async (shell) => {
  const end = await runCommands(["completions", shell]);

  expect(end).toMatchObject({ exitCode: 0, stdout: COMPLETION_SCRIPTS[shell](), stderr: "" });
});

test.each([
  { shell: "bsh", message: 'the shell "bsh" is not one of bash, zsh, fish; did you mean bash?' },
  { shell: "\u001b", message: String.raw`the shell "\x1b" is not one of bash, zsh, fish` },
])("$shell is refused", async ({ shell, message }) => {
  const end = await runCommands(["completions", shell]);

  expect(end).toMatchObject({ exitCode: 2, stdout: "" });
  expect(end.stderr).toStartWith(`spanring: ${message}`);
});

test("without a shell, what is missing is said, and --help helps all the same", async () => {
  const missing = await runCommands(["completions"]);
  const help = await runCommands(["completions", "--help"]);

  expect(missing).toMatchObject({ exitCode: 2, stdout: "" });
  expect(missing.stderr).toBe("spanring: SHELL is missing\nSee spanring completions --help.\n");
  expect(help).toMatchObject({ exitCode: 0, stderr: "" });
  expect(help.stdout).toStartWith("spanring completions [OPTIONS] SHELL\n");
});

/** What only reads a script, for the shells of this machine. */
const installed = SHELLS.filter((shell) => Bun.which(shell) !== null);

test.each(SHELLS)("the script for %s names every command and every option", (shell) => {
  const script = COMPLETION_SCRIPTS[shell]();
  const spelt = (option: string) => (shell === "fish" ? `-l ${option} ` : `--${option}`);

  const missing = [
    ...COMMAND_NAMES.filter((name) => !script.includes(name)),
    ...OPTION_NAMES.filter((name) => !script.includes(spelt(name))),
  ];
  expect(missing).toEqual([]);
});

test.each(SHELLS)("the script for %s has the words that values are", (shell) => {
  const script = COMPLETION_SCRIPTS[shell]();
  const words = OPTION_NAMES.flatMap((name) => OPTIONS[name].words ?? []);

  expect(words.filter((word) => !script.includes(word))).toEqual([]);
});

test.each(installed)("%s can read its script", (shell) => {
  const script = new TextEncoder().encode(COMPLETION_SCRIPTS[shell]());

  const read = Bun.spawnSync([shell, "-n"], { stdin: script, stderr: "pipe" });

  expect(read.stderr.toString()).toBe("");
  expect(read.exitCode).toBe(0);
});

/** What bash would offer. */
function bashOffers(words: readonly string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(" ");
  const script = `${COMPLETION_SCRIPTS.bash()}
COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}
_spanring; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const bash = Bun.spawnSync(["bash", "--norc", "-c", script], { stderr: "pipe" });
  return bash.stdout.toString().trim().split("\n");
}

test.each([
  { words: ["spanring", "t"], offers: ["tail", "traces", "take"] },
  { words: ["spanring", "--c"], offers: ["--check"] },
  { words: ["spanring", "get", "--sp"], offers: ["--span-id"] },
  { words: ["spanring", "get", "--status", ""], offers: ["unset", "ok", "error"] },
  { words: ["spanring", "completions", ""], offers: ["bash", "zsh", "fish"] },
  { words: ["spanring", "clear", "--name"], offers: [""] },
])("bash offers $offers for $words", ({ words, offers }) => {
  expect(bashOffers(words)).toEqual([...offers]);
});

test("bash offers every option of a command", () => {
  expect(bashOffers(["spanring", "wait", "--"])).toEqual(
    COMMANDS.wait.options.map((name) => `--${name}`),
  );
});

// Goal: zsh and fish, which a machine may not have, are offered what the tables have and no more.
// Method: their scripts are taken apart into the words that the shells would read.

/** As any of the shells: words may be quoted. */
function shellWords(text: string): string[] {
  const shell = Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${text}`], { stderr: "pipe" });
  expect(shell.stderr.toString()).toBe("");
  return shell.stdout.toString().split("\0").slice(0, -1);
}

/** What a script says of an option. */
interface OfferedOption {
  readonly name: string;
  readonly meaning: string;
  readonly takesValue: boolean;
  readonly takesFile: boolean;
  readonly words: readonly string[];
}

function expectedOption(name: OptionName): OfferedOption {
  const { meaning, value, isFile = false, words = [] } = OPTIONS[name];
  return { name, meaning, takesValue: value !== undefined, takesFile: isFile, words };
}

/** `*--limit[at most so many]:N:(1 2)`. */
function zshOption(spec: string): OfferedOption {
  const [, name = "", meaning = "", value, action = ""] =
    /^\*?--([a-z-]+)\[(.*?)(?<!\\)\](?::([^:]*):(.*))?$/.exec(spec) ?? [];
  const words = /^\((.*)\)$/.exec(action)?.[1]?.split(" ") ?? [];
  return {
    name,
    meaning: meaning.replaceAll(/\\([[\]:])/g, "$1"),
    takesValue: value !== undefined,
    takesFile: action === "_files",
    words,
  };
}

/** The words of `_arguments` behind `command)`. */
function zshArguments(command: string): string[] {
  const script = COMPLETION_SCRIPTS.zsh();
  const [, rest = ""] = script.split(`\n      ${command}) _arguments `);
  return shellWords(rest.slice(0, rest.indexOf(" ;;\n")));
}

test.each(COMMAND_NAMES)("zsh offers the options of %s and no other", (command) => {
  const specs = zshArguments(command).filter((word) => /^\*?--/.test(word));

  expect(specs.map(zshOption)).toEqual(COMMANDS[command].options.map(expectedOption));
  const repeatable = specs.filter((spec) => spec.startsWith("*")).map(zshOption);
  expect(repeatable.map(({ name }) => name)).toEqual(
    COMMANDS[command].options.filter((name) => OPTIONS[name].isRepeatable === true),
  );
});

test("zsh offers files to send, and shells to completions", () => {
  const operands = COMMAND_NAMES.map((command) => [command, zshArguments(command).at(-1)]);

  const others = Object.fromEntries(COMMAND_NAMES.map((command) => [command, "*::"]));
  expect(Object.fromEntries(operands)).toEqual({
    ...others,
    send: "*:file:_files",
    completions: "1:shell:(bash zsh fish)",
  });
});

test("zsh offers every command, and the options of serving", () => {
  const [, list = ""] = COMPLETION_SCRIPTS.zsh().split("  commands=(\n");
  const [commands = "", rest = ""] = list.split("\n  )\n  _arguments -C ");
  const serving = shellWords(rest.slice(0, rest.indexOf("\n  case ")));

  expect(shellWords(commands.replaceAll("\n", " "))).toEqual(
    COMMAND_NAMES.map((name) => `${name}:${COMMANDS[name].summary}`),
  );
  expect(serving.slice(0, -2).map(zshOption)).toEqual(SERVE_OPTIONS.map(expectedOption));
});

/** The words of each line of the script for fish. */
const fishLines = COMPLETION_SCRIPTS.fish()
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map(shellWords);

/** Returns the words of the completions that have this condition. */
function fishBehind(condition: string): string[][] {
  return fishLines
    .filter((words) => words.slice(0, 5).join(" ") === `complete -c spanring -n ${condition}`)
    .map((words) => words.slice(5));
}

function fishOption(words: readonly string[]): OfferedOption {
  const after = (flag: string) => words[words.indexOf(flag) + 1] ?? "";
  return {
    name: after("-l"),
    meaning: after("-d"),
    takesValue: words.includes("-x") || words.includes("-r"),
    takesFile: words.includes("-F"),
    words: words.includes("-a") ? after("-a").split(" ") : [],
  };
}

test.each(COMMAND_NAMES)("fish offers the options of %s and no other", (command) => {
  const lines = fishBehind(`__fish_seen_subcommand_from ${command}`);
  const options = lines.filter((words) => words.includes("-l")).map(fishOption);

  expect(options).toEqual(COMMANDS[command].options.map(expectedOption));
});

test("fish offers every command, and the options of serving", () => {
  const lines = fishBehind("__fish_use_subcommand");

  expect(lines.filter((words) => words.includes("-l")).map(fishOption)).toEqual(
    SERVE_OPTIONS.map(expectedOption),
  );
  expect(lines.filter((words) => words[0] === "-a")).toEqual(
    COMMAND_NAMES.map((name) => ["-a", name, "-d", COMMANDS[name].summary]),
  );
});

test("fish offers files to send, shells to completions, and nothing else", () => {
  const operands = fishLines.filter(
    (words) => !words.includes("-l") && !words.includes("__fish_use_subcommand"),
  );

  expect(operands.map((words) => words.slice(3))).toEqual([
    ["-f"],
    ["-n", "__fish_seen_subcommand_from send", "-F"],
    ["-n", "__fish_seen_subcommand_from completions", "-a", "bash zsh fish"],
  ]);
});
