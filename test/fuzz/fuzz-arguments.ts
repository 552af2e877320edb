import { readSuiteArguments, type UnusableRequest } from "../support/running/suite-arguments.ts";

/** The parsed command line. */
export type FuzzRequest =
  | { readonly command: "help" | "list" }
  | UnusableRequest
  | {
      readonly command: "run";
      readonly payloads: number;
      readonly streams: number;
      readonly seed: number;
    };

const DEFAULTS = { payloads: 100_000, streams: 10_000 };
const RANGE = { from: 0, to: 1_000_000_000 };

/** Parses the arguments. `seed` is the default seed. */
export function readFuzzArguments(argv: readonly string[], seed: number): FuzzRequest {
  const request = readSuiteArguments(argv, {
    switches: [],
    counts: {
      payloads: { ...RANGE, unset: DEFAULTS.payloads },
      streams: { ...RANGE, unset: DEFAULTS.streams },
      seed: { ...RANGE, unset: seed },
    },
    takesNames: false,
  });
  return request.command === "run" ? { command: "run", ...request.counts } : request;
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
