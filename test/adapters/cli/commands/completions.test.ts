import { expect, test } from "bun:test";
import { SHELLS } from "../../../../src/adapters/cli/usage/command-table.ts";
import { COMPLETION_SCRIPTS } from "../../../../src/adapters/cli/usage/completion-scripts.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";

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
