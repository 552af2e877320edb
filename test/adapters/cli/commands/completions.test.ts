import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SEQUENCE } from "../../../support/fakes/api-answers.ts";
import { startFakeServer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import {
  SHELLS,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  HELP_TOPICS,
  meaningIn,
  SERVE_OPTIONS,
} from "../../../../src/adapters/cli/usage/command-table.ts";
import { COMPLETION_SCRIPTS } from "../../../../src/adapters/cli/commands/completions.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import {
  OPTION_NAMES,
  OPTIONS,
  type OptionName,
} from "../../../../src/adapters/cli/usage/option-table.ts";

stopFakeServersAfterEach();

const LEDGER = {
  received: 1,
  rejected: 0,
  accepted: 1,
  buffered: 1,
  taken: 0,
  delivered: 0,
  evicted: 0,
  undeliverable: 0,
};
const SERVICE = { spans: LEDGER, bytes: LEDGER, lastSeen: "2025-07-20T08:26:40.123Z" };

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

test("a missing shell is reported, but --help does not need one", async () => {
  const missing = await runCommands(["completions"]);
  const help = await runCommands(["completions", "--help"]);

  expect(missing).toMatchObject({ exitCode: 2, stdout: "" });
  expect(missing.stderr).toBe("spanring: SHELL is missing\nSee spanring completions --help.\n");
  expect(help).toMatchObject({ exitCode: 0, stderr: "" });
  expect(help.stdout).toStartWith("spanring completions [OPTIONS] SHELL\n");
});

/** The shells on this machine, which can check the syntax of their scripts. */
const installed = SHELLS.filter((shell) => Bun.which(shell) !== null);

test.each(SHELLS)("the script for %s contains every command and every option", (shell) => {
  const script = COMPLETION_SCRIPTS[shell]();
  const spelt = (option: string) => (shell === "fish" ? `-l ${option} ` : `--${option}`);

  const missing = [
    ...COMMAND_NAMES.filter((name) => !script.includes(name)),
    ...OPTION_NAMES.filter((name) => !script.includes(spelt(name))),
  ];
  expect(missing).toEqual([]);
});

test.each(SHELLS)("the script for %s contains every predefined option value", (shell) => {
  const script = COMPLETION_SCRIPTS[shell]();
  const words = OPTION_NAMES.flatMap((name) => OPTIONS[name].words ?? []);

  expect(words.filter((word) => !script.includes(word))).toEqual([]);
});

test.each(installed)("%s accepts the syntax of its script", (shell) => {
  const script = new TextEncoder().encode(COMPLETION_SCRIPTS[shell]());

  const read = Bun.spawnSync([shell, "-n"], { stdin: script, stderr: "pipe" });

  expect(read.stderr.toString()).toBe("");
  expect(read.exitCode).toBe(0);
});

/** Returns the completions that bash offers for these words. */
function bashOffers(words: readonly string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(" ");
  const script = `${COMPLETION_SCRIPTS.bash()}
COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}
_spanring; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const bash = Bun.spawnSync(["bash", "--norc", "-c", script], { stderr: "pipe" });
  return bash.stdout.toString().trim().split("\n");
}

test.each([
  { words: ["spanring", "t"], offers: ["tail", "traces", "take", "token"] },
  { words: ["spanring", "--c"], offers: ["--check"] },
  { words: ["spanring", "get", "--sp"], offers: ["--span-id"] },
  { words: ["spanring", "get", "--status", ""], offers: ["unset", "ok", "error"] },
  { words: ["spanring", "completions", ""], offers: ["bash", "zsh", "fish"] },
  { words: ["spanring", "help", "e"], offers: ["environment", "exit-codes", "expectations"] },
  { words: ["spanring", "v"], offers: ["version"] },
  { words: ["spanring", "clear", "--name"], offers: [""] },
])("bash offers $offers after $words", ({ words, offers }) => {
  expect(bashOffers(words)).toEqual([...offers]);
});

const HOSTILE_SERVICE = "$(touch /tmp/spanring-hostile)";
const services = (...names: string[]) => ({
  services: names.map((service) => ({ ...SERVICE, service })),
  sequence: SEQUENCE,
});

test("services are listed for the scripts, except names with a meaning to a shell", async () => {
  const names = ["shop", "a.b-c:1@x", HOSTILE_SERVICE, "two words", "`id`", "-x", "a;b", "ü", ""];

  const { url, requests } = startFakeServer(() => Response.json(services(...names)));

  const end = await runCommands(["completions", "services"], { env: { SPANRING_URL: url } });

  expect(end).toMatchObject({ exitCode: 0, stdout: "shop\na.b-c:1@x\n", stderr: "" });
  expect(requests.map(({ path }) => path)).toEqual(["/api/services"]);
});

test("bash completes --service with the services of the running spanring", () => {
  const folder = temporaryFolder();
  const program = join(folder, "spanring");
  writeFileSync(
    program,
    '#!/bin/sh\n[ "$*" = "completions services" ] && printf "shop\\nshed\\ntill\\n"\n',
  );
  chmodSync(program, 0o755);

  expect(bashOffers([program, "tail", "--service", "sh"])).toEqual(["shop", "shed"]);
});

test.each(["zsh", "fish"] as const)("the script for %s lists services", (shell) => {
  expect(COMPLETION_SCRIPTS[shell]()).toContain("(spanring completions services 2>/dev/null)");
});

test("bash offers all options of a command", () => {
  expect(bashOffers(["spanring", "wait", "--"])).toEqual(
    COMMANDS.wait.options.map((name) => `--${name}`),
  );
});

// Goal: the scripts for zsh and fish, which may not be installed, offer what the tables list.
// Method: the tests parse the scripts into the words that these shells would read.

/** Splits a command line into words as a shell does, with quotes. */
function shellWords(text: string): string[] {
  const shell = Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${text}`], { stderr: "pipe" });
  expect(shell.stderr.toString()).toBe("");
  return shell.stdout.toString().split("\0").slice(0, -1);
}

/** An option as a completion script describes it. */
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

function expectedOptions(command: CommandName): OfferedOption[] {
  return COMMANDS[command].options.map((name) => {
    return { ...expectedOption(name), meaning: meaningIn(command, name) };
  });
}

/** Parses a specification such as `*--limit[the maximum number]:N:(1 2)`. */
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

/** Returns the arguments of `_arguments` in the branch for this command. */
function zshArguments(command: string): string[] {
  const script = COMPLETION_SCRIPTS.zsh();
  const [, rest = ""] = script.split(`\n      ${command}) _arguments `);
  return shellWords(rest.slice(0, rest.indexOf(" ;;\n")));
}

test.each(COMMAND_NAMES)("zsh offers exactly the options of %s", (command) => {
  const specs = zshArguments(command).filter((word) => /^\*?--/.test(word));

  expect(specs.map(zshOption)).toEqual(expectedOptions(command));
  const repeatable = specs.filter((spec) => spec.startsWith("*")).map(zshOption);
  expect(repeatable.map(({ name }) => name)).toEqual(
    COMMANDS[command].options.filter((name) => OPTIONS[name].isRepeatable === true),
  );
});

test("zsh completes files after send, and shells after completions", () => {
  const operands = COMMAND_NAMES.map((command) => [command, zshArguments(command).at(-1)]);

  const others = Object.fromEntries(COMMAND_NAMES.map((command) => [command, "*::"]));
  expect(Object.fromEntries(operands)).toEqual({
    ...others,
    send: "*:file:_files",
    completions: "1:shell:(bash zsh fish)",
  });
});

test("zsh offers every command and the options without a command", () => {
  const [, list = ""] = COMPLETION_SCRIPTS.zsh().split("  commands=(\n");
  const [commands = "", rest = ""] = list.split("\n  )\n  _arguments -C ");
  const serving = shellWords(rest.slice(0, rest.indexOf("\n  case ")));

  const summaries = COMMAND_NAMES.map((name) => `${name}:${COMMANDS[name].summary}`);
  expect(shellWords(commands.replaceAll("\n", " "))).toEqual([
    ...summaries,
    "help:print this help",
    "version:print the version",
  ]);
  expect(serving.slice(0, -2).map(zshOption)).toEqual(SERVE_OPTIONS.map(expectedOption));
});

/** The words of each line of the script for fish. */
const fishLines = COMPLETION_SCRIPTS.fish()
  .replaceAll("\\\n", "")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map(shellWords);

/** Returns the words of the completions that have this condition. */
function fishAfter(condition: string): string[][] {
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

test.each(COMMAND_NAMES)("fish offers exactly the options of %s", (command) => {
  const lines = fishAfter(`__fish_seen_subcommand_from ${command}`);
  const options = lines.filter((words) => words.includes("-l")).map(fishOption);

  expect(options).toEqual(expectedOptions(command));
});

test("fish offers every command and the options without a command", () => {
  const lines = fishAfter("__fish_use_subcommand");

  expect(lines.filter((words) => words.includes("-l")).map(fishOption)).toEqual(
    SERVE_OPTIONS.map(expectedOption),
  );
  expect(lines.filter((words) => words[0] === "-a")).toEqual([
    ...COMMAND_NAMES.map((name) => ["-a", name, "-d", COMMANDS[name].summary]),
    ["-a", "help", "-d", "print this help"],
    ["-a", "version", "-d", "print the version"],
  ]);
});

test("fish completes files after send, shells after completions, and no other operands", () => {
  const operands = fishLines.filter(
    (words) => !words.includes("-l") && !words.includes("__fish_use_subcommand"),
  );

  const topics = [...COMMAND_NAMES, ...HELP_TOPICS].join(" ");
  expect(operands.map((words) => words.slice(3))).toEqual([
    ["-f"],
    ["-n", "__fish_seen_subcommand_from help", "-a", topics],
    ["-n", "__fish_seen_subcommand_from send", "-F"],
    ["-n", "__fish_seen_subcommand_from completions", "-a", "bash zsh fish"],
  ]);
});
