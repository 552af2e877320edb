import { askForSuccess } from "../api/ask-api.ts";
import { CommandFailure } from "../command/command-failure.ts";
import { type CommandRun, isGiven } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../command/exit-code.ts";
import { writeJson } from "../output/json-output.ts";
import { countedText } from "../render/quantities.ts";

export async function clear(run: CommandRun): Promise<ExitCode> {
  const { stdout } = run;
  const response = await askForSuccess(run, { method: "DELETE", path: "/api/spans" });
  const answer: unknown = await response.json().catch(() => undefined);
  const removed = (answer as { removed?: unknown } | null | undefined)?.removed;
  if (typeof removed !== "number") {
    throw new CommandFailure(EXIT_CODE.cannotConnect, "the answer does not say what was removed");
  }
  if (isGiven(run, "json") || !stdout.isTerminal) writeJson(run, answer);
  else stdout.write(`removed ${countedText(removed, "span")}\n`);
  return EXIT_CODE.ok;
}
