import {
  readSuiteArguments,
  type UnusableRequest,
  unusable,
} from "../support/running/suite-arguments.ts";

/** The request of the command line. */
export type BenchRequest =
  | { readonly command: "help" | "list" }
  | UnusableRequest
  | {
      readonly command: "run";
      readonly names: readonly string[];
      readonly rounds: number;
      readonly isShort: boolean;
      readonly asJson: boolean;
    };

const ROUNDS = { unset: 5, from: 1, to: 1_000 };

const OPTIONS = {
  switches: ["list", "json", "short"],
  counts: { rounds: ROUNDS },
  takesNames: true,
} as const;

/**
 * Parses the arguments. `known` has the names of all cases; without a name on the command line, all
 * of them run.
 */
export function readBenchArguments(
  argv: readonly string[],
  known: readonly string[],
): BenchRequest {
  const request = readSuiteArguments(argv, OPTIONS);
  if (request.command !== "run") return request;
  const { names: given, switches, counts } = request;
  const unknown = given.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return unusable(`unknown case "${unknown}"; known: ${known.join(", ")}`);
  }
  const names = given.length === 0 ? known : given;
  const { short: isShort, json: asJson } = switches;
  return { command: "run", names, rounds: counts.rounds, isShort, asJson };
}

export const HELP = `bun run bench [OPTION]... [CASE]...

Runs benchmarks, and reports whether the goals of the design are met. Without CASE, all cases run.

  --list        list the cases with their descriptions
  --rounds N    turns of each contender (default ${ROUNDS.unset}); memory always has one
  --short       use shorter turns, with coarser figures
  --json        print only the results, as JSON, on standard output
  --help        print this help

Exit status: 0 if every case ran, whether or not it met its goals; 1 if a case could not run; 2 if
the command line is invalid.
`;
