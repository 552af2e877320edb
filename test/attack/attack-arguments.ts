import { parseArgs } from "node:util";

/** The parsed command line. */
export type AttackRequest =
  | { readonly command: "help" | "list" }
  | { readonly command: "unusable"; readonly complaint: string }
  | {
      readonly command: "run";
      readonly names: readonly string[];
      readonly seconds: number;
      readonly asJson: boolean;
    };

const DEFAULT_SECONDS = 10;
const MAX_SECONDS = 3_600;

/** Parses the arguments. `known` has the names of all attacks. */
export function readAttackArguments(
  argv: readonly string[],
  known: readonly string[],
): AttackRequest {
  const parsed = parse(argv);
  if (typeof parsed === "string") return { command: "unusable", complaint: parsed };
  const { values, positionals } = parsed;
  if (values.help) return { command: "help" };
  if (values.list) return { command: "list" };
  const complaint = complaintAbout(positionals, values.all, known);
  if (complaint !== undefined) return { command: "unusable", complaint };
  const seconds = Number(/^\d{1,4}$/.exec(values.seconds)?.[0] ?? 0);
  if (seconds < 1 || seconds > MAX_SECONDS) {
    const range = `--seconds takes a whole number from 1 to ${MAX_SECONDS}`;
    return { command: "unusable", complaint: range };
  }
  const names = values.all ? known : [...new Set(positionals)];
  return { command: "run", names, seconds, asJson: values.json };
}

function complaintAbout(
  names: readonly string[],
  isAll: boolean,
  known: readonly string[],
): string | undefined {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) return `unknown attack "${unknown}"`;
  if (isAll && names.length > 0) return "names of attacks and --all cannot be combined";
  if (!isAll && names.length === 0) return "name at least one attack, or use --all";
  return undefined;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        list: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        seconds: { type: "string", default: String(DEFAULT_SECONDS) },
      },
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const HELP = `bun run attack [OPTION]... [NAME]...

Attacks the built program (bun run build) on free ports of this machine, while well-behaved
clients use it, and reports whether the bounds hold. It needs Linux.

  --list         list the attacks with their descriptions
  --all          run every attack in turn; the last one runs fourteen of them at once
  --seconds N    duration of each attack (default ${DEFAULT_SECONDS})
  --json         print only the results, as JSON, on standard output
  --help         print this help

Exit status: 0 if every row holds; 1 if one fails; 2 if the command line is invalid.
`;
