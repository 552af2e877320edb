import { parseArgs } from "node:util";

/** The request of the command line. */
export type BenchRequest =
  | { readonly command: "help" | "list" }
  | { readonly command: "unusable"; readonly complaint: string }
  | {
      readonly command: "run";
      readonly names: readonly string[];
      readonly rounds: number;
      readonly isShort: boolean;
      readonly asJson: boolean;
    };

const DEFAULT_ROUNDS = 5;
const MAX_ROUNDS = 1_000;

/**
 * Parses the arguments. `known` has the names of all cases; without a name on the command line, all
 * of them run.
 */
export function readBenchArguments(
  argv: readonly string[],
  known: readonly string[],
): BenchRequest {
  const parsed = parse(argv);
  if (typeof parsed === "string") return { command: "unusable", complaint: parsed };
  const { values, positionals } = parsed;
  if (values.help) return { command: "help" };
  if (values.list) return { command: "list" };
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const complaint = `there is no case "${unknown}"; there are: ${known.join(", ")}`;
    return { command: "unusable", complaint };
  }
  const rounds = values.rounds === undefined ? DEFAULT_ROUNDS : roundsFrom(values.rounds);
  if (rounds === undefined) {
    const complaint = `--rounds takes a whole number from 1 to ${MAX_ROUNDS}`;
    return { command: "unusable", complaint };
  }
  const names = positionals.length === 0 ? known : [...new Set(positionals)];
  return { command: "run", names, rounds, isShort: values.short, asJson: values.json };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        list: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        short: { type: "boolean", default: false },
        rounds: { type: "string" },
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function roundsFrom(text: string): number | undefined {
  const rounds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return rounds >= 1 && rounds <= MAX_ROUNDS ? rounds : undefined;
}

export const HELP = `bun run bench [OPTION]... [CASE]...

Measures, and says whether the goals of the design are met. Without CASE, all cases run.

  --list        the cases, and what each shows
  --rounds N    turns for every contender (default ${DEFAULT_ROUNDS}); memory has one long turn
  --short       shorter turns: a quick look, with coarser figures
  --json        results for machines, on standard output and with nothing else there
  --help        this

Exit status: 0 when every case ran, whether or not it met its goals; 1 when a case could not run;
2 when the command line is wrong.
`;
