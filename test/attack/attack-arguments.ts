import { parseArgs } from "node:util";

/** The request of the command line. */
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
  if (unknown !== undefined) return `there is no attack "${unknown}"`;
  if (isAll && names.length > 0) return "name attacks, or say --all, not both";
  if (!isAll && names.length === 0) return "name at least one attack, or say --all";
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
clients use it, and says whether the bounds hold. It needs Linux.

  --list         the attacks, and what each does
  --all          every attack, one after the other; the last is fourteen of them at once
  --seconds N    time of each attack (default ${DEFAULT_SECONDS})
  --json         results for machines, on standard output and with nothing else there
  --help         this

Exit status: 0 when every row holds; 1 when one fails; 2 when the command line is wrong.
`;
