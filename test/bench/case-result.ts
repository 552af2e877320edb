import { CannotRunError, type BenchCase, type BenchRun } from "./bench-case.ts";
import { summarise, type FigureSummary } from "./figure.ts";

/** The result of one case. `failure` is null if it ran, whether or not its goals were met. */
export interface CaseResult {
  readonly name: string;
  readonly shows: string;
  readonly failure: string | null;
  readonly figures: readonly FigureSummary[];
}

/** Runs one case. If it cannot run, that is a result too and does not stop the others. */
export async function runCase({ name, shows, run }: BenchCase, how: BenchRun): Promise<CaseResult> {
  how.progress(`${name}: ${shows}`);
  try {
    const figures = await run(how);
    return { name, shows, failure: null, figures: figures.map((figure) => summarise(figure)) };
  } catch (error) {
    const failure = failureText(error);
    how.progress(`${name} could not run: ${failure}`);
    return { name, shows, failure, figures: [] };
  }
}

/** Returns the text of a failure. An internal error of the benchmark has its stack. */
function failureText(error: unknown): string {
  if (error instanceof CannotRunError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
