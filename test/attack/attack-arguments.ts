import {
  readSuiteArguments,
  type UnusableRequest,
  unusable,
} from "../support/running/suite-arguments.ts";

/** The parsed command line. */
export type AttackRequest =
  | { readonly command: "help" | "list" }
  | UnusableRequest
  | {
      readonly command: "run";
      readonly names: readonly string[];
      readonly seconds: number;
      readonly asJson: boolean;
    };

const SECONDS = { unset: 10, from: 1, to: 3_600 };

const OPTIONS = {
  switches: ["list", "all", "json"],
  counts: { seconds: SECONDS },
  takesNames: true,
} as const;

/** Parses the arguments. `known` has the names of all attacks. */
export function readAttackArguments(
  argv: readonly string[],
  known: readonly string[],
): AttackRequest {
  const request = readSuiteArguments(argv, OPTIONS);
  if (request.command !== "run") return request;
  const { names, switches, counts } = request;
  const complaint = complaintAbout(names, switches.all, known);
  if (complaint !== undefined) return unusable(complaint);
  const { seconds } = counts;
  return { command: "run", names: switches.all ? known : names, seconds, asJson: switches.json };
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

export const HELP = `bun run attack [OPTION]... [NAME]...

Attacks the built program (bun run build) on free ports of this machine, while well-behaved
clients use it, and reports whether the bounds hold. It needs Linux.

  --list         list the attacks with their descriptions
  --all          run every attack in turn; the last one runs fourteen of them at once
  --seconds N    duration of each attack (default ${SECONDS.unset})
  --json         print only the results, as JSON, on standard output
  --help         print this help

Exit status: 0 if every row holds; 1 if one fails; 2 if the command line is invalid.
`;
