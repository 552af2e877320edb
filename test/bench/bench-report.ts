import { cpus } from "node:os";
import type { CaseResult } from "./case-result.ts";

/**
 * The output of `--json`. Figures are comparable only within one report, because machines differ.
 */
export interface BenchReport {
  readonly bench: "spanring";
  readonly rounds: number;
  readonly short: boolean;
  readonly machine: {
    readonly platform: string;
    readonly cpu: string;
    readonly cpus: number;
    readonly bun: string;
  };
  readonly cases: readonly CaseResult[];
}

export function benchReport(
  cases: readonly CaseResult[],
  { rounds, isShort }: { readonly rounds: number; readonly isShort: boolean },
): BenchReport {
  const machine = {
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cpus: cpus().length,
    bun: Bun.version,
  };
  return { bench: "spanring", rounds, short: isShort, machine, cases };
}
