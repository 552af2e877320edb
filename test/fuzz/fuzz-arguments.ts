import { parseArgs } from "node:util";

/** What the command line asks for. */
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

/** `seed` is the one to take where the command line has none. */
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

Gives random payloads to the parts of the program that read what others wrote, and random byte
streams to the built program (bun run build). It compares their answers with plainer ones.

  --payloads N   requests, configurations, parameters and files (default ${DEFAULTS.payloads})
  --streams N    connections with bytes of HTTP/1.1 and HTTP/2 (default ${DEFAULTS.streams})
  --seed S       payload and stream number N of a run come from seed S + N (default: by the clock)
  --help         this

Exit status: 0 when nothing was found; 1 when something was, or when a payload does not end; 2
when the command line is wrong. A finding names its seed: --seed S --payloads 1 --streams 0 repeats
it.
`;
