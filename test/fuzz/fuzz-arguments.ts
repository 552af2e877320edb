import { parseArgs } from "node:util";

/** The parsed command line. */
export type FuzzRequest =
  | { readonly command: "help" }
  | { readonly command: "unusable"; readonly complaint: string }
  | {
      readonly command: "run";
      readonly payloads: number;
      readonly streams: number;
      readonly seed: number;
    };

const DEFAULTS = { payloads: 100_000, streams: 10_000 };
const MAX_COUNT = 1_000_000_000;

/** Parses the arguments. `seed` is the default seed. */
export function readFuzzArguments(argv: readonly string[], seed: number): FuzzRequest {
  const parsed = parse(argv);
  if (typeof parsed === "string") return { command: "unusable", complaint: parsed };
  if (parsed.help) return { command: "help" };
  const numbers = {
    payloads: countFrom(parsed.payloads, DEFAULTS.payloads),
    streams: countFrom(parsed.streams, DEFAULTS.streams),
    seed: countFrom(parsed.seed, seed),
  };
  const wrong = Object.entries(numbers).find(([, number]) => Number.isNaN(number));
  if (wrong === undefined) return { command: "run", ...numbers };
  const complaint = `--${wrong[0]} takes a whole number from 0 to ${MAX_COUNT}`;
  return { command: "unusable", complaint };
}

function countFrom(text: string | undefined, unset: number): number {
  if (text === undefined) return unset;
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_COUNT ? Number(text) : Number.NaN;
}

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        help: { type: "boolean", short: "h", default: false },
        payloads: { type: "string" },
        streams: { type: "string" },
        seed: { type: "string" },
      },
    });
    return values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const HELP = `bun run fuzz [OPTION]...

Sends random payloads to the readers of foreign input, and random byte streams to the built
program (bun run build). It compares the answers of the readers with those of simple oracles.

  --payloads N   requests, configurations, parameters and files (default ${DEFAULTS.payloads})
  --streams N    connections with bytes of HTTP/1.1 and HTTP/2 (default ${DEFAULTS.streams})
  --seed S       payload and stream number N of a run come from seed S + N (default: by the clock)
  --help         print this help

Exit status: 0 without findings; 1 with findings, or if a payload does not end; 2 if the command
line is invalid. A finding names its seed; --seed S --payloads 1 --streams 0 repeats it.
`;
