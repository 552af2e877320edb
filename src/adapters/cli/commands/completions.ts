import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { usageFailure } from "../output/answer-form.ts";
import type { CommandRun } from "../command/command-run.ts";
import { SHELLS } from "../usage/command-table.ts";
import { COMPLETION_SCRIPTS } from "../usage/completion-scripts.ts";
import { EXIT_CODE, type ExitCode } from "../command/exit-code.ts";
import { suggestion } from "../../../domain/text/nearest-word.ts";

export async function completions(run: CommandRun): Promise<ExitCode> {
  const [asked = ""] = run.operands;
  const shell = SHELLS.find((name) => name === asked);
  if (shell === undefined) {
    const choice = `${quotePeerText(asked)}" is not one of ${SHELLS.join(", ")}`;
    throw usageFailure(`the shell "${choice}${suggestion(asked, SHELLS)}`);
  }
  run.stdout.write(COMPLETION_SCRIPTS[shell]());
  return EXIT_CODE.ok;
}
