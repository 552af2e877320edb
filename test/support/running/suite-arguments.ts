import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** The command line of a program that runs a suite, such as the benchmarks. */
export interface SuiteOptions<Switch extends string, Count extends string> {
  readonly switches: readonly Switch[];
  readonly counts: Readonly<Record<Count, CountOption>>;
  /** Whether the names of cases may be given. */
  readonly takesNames: boolean;
}

/** An option whose value is a whole number. */
export interface CountOption {
  readonly unset: number;
  readonly from: number;
  readonly to: number;
}

export interface UnusableRequest {
  readonly command: "unusable";
  readonly complaint: string;
}

export interface SuiteRun<Switch extends string, Count extends string> {
  readonly command: "run";
  /** The names given, each once. */
  readonly names: readonly string[];
  readonly switches: Readonly<Record<Switch, boolean>>;
  readonly counts: Readonly<Record<Count, number>>;
}

/** The request of a command line. The switches `help` and `list` are requests of their own. */
export type SuiteRequest<Switch extends string, Count extends string> =
  { readonly command: "help" | "list" } | UnusableRequest | SuiteRun<Switch, Count>;

/** Parses the arguments. `-h` is short for `--help`, which takes precedence over mistakes. */
export function readSuiteArguments<Switch extends string, Count extends string>(
  argv: readonly string[],
  options: SuiteOptions<Switch, Count>,
): SuiteRequest<Switch, Count> {
  const parsed = parse(argv, options);
  if (typeof parsed === "string") return unusable(parsed);
  const { values, positionals } = parsed;
  if (values["help"] === true) return { command: "help" };
  if (values["list"] === true) return { command: "list" };
  const switches = recordOf(options.switches, (name) => values[name] === true);
  const names = [...new Set(positionals)];
  const countNames = Object.keys(options.counts) as Count[];
  const counts = recordOf(countNames, (name) => countFrom(values[name], options.counts[name]));
  const wrong = countNames.find((name) => Number.isNaN(counts[name]));
  if (wrong === undefined) return { command: "run", names, switches, counts };
  const { from, to } = options.counts[wrong];
  return unusable(`--${wrong} takes a whole number from ${from} to ${to}`);
}

export function unusable(complaint: string): UnusableRequest {
  return { command: "unusable", complaint };
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

function parse(
  argv: readonly string[],
  { switches, counts, takesNames }: SuiteOptions<string, string>,
): { readonly values: Values; readonly positionals: readonly string[] } | string {
  const options: ParseArgsOptionsConfig = {
    ...recordOf(switches, () => ({ type: "boolean" }) as const),
    ...recordOf(Object.keys(counts), () => ({ type: "string" }) as const),
    help: { type: "boolean", short: "h" },
  };
  try {
    const parsed = parseArgs({ args: [...argv], allowPositionals: takesNames, options });
    return { values: parsed.values as Values, positionals: parsed.positionals };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Returns the number; `NaN` for a text that is not one of the range. */
function countFrom(text: Values[string], { unset, from, to }: CountOption): number {
  if (typeof text !== "string") return unset;
  const count = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return count >= from && count <= to ? count : Number.NaN;
}

function recordOf<Name extends string, Value>(
  names: readonly Name[],
  valueOf: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, Value>;
}
