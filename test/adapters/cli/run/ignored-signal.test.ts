import { expect, test } from "bun:test";
import type { CommandRun } from "../../../../src/adapters/cli/command/command-run.ts";
import { ignoredReporter } from "../../../../src/adapters/cli/run/ignored-signal.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";

test.each([
  { isTerminal: true, lines: 1 },
  { isTerminal: false, lines: 0 },
])("an ignored Ctrl-C is explained on a terminal only: $isTerminal", ({ isTerminal, lines }) => {
  const written = writtenText();
  const run = { stderr: { ...written, isTerminal } } as unknown as CommandRun;

  ignoredReporter(run)();

  expect(written.text().match(/still running; Ctrl-\\ sends SIGQUIT\n/g) ?? []).toHaveLength(lines);
});
