import { CannotRunError, type BenchCase, type BenchRun } from "./bench-case.ts";
import { summarise, type FigureSummary } from "./figure.ts";

/** What became of one case. `failure` is null when it ran, whether or not its goals were met. */
export interface CaseResult {
  readonly name: string;
  readonly shows: string;
  readonly failure: string | null;
  readonly figures: readonly FigureSummary[];
}

/** Runs one case. One that cannot run is a result too, and stops no other. */
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

/** A fault of the benchmark itself is shown with the place where it lies. */
function failureText(error: unknown): string {
  if (error instanceof CannotRunError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
