import { expect, test } from "bun:test";
import { COMMAND_NAMES, COMMANDS, SHELLS } from "../../../src/adapters/cli/command-table.ts";
import { COMPLETION_SCRIPTS } from "../../../src/adapters/cli/completion-scripts.ts";
import { OPTION_NAMES, OPTIONS } from "../../../src/adapters/cli/option-table.ts";

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
