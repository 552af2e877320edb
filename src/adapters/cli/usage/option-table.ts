import {
  CONDITION_NAMES,
  CONDITION_ROWS,
  type ConditionName,
} from "../../../domain/query/span-filter.ts";

/** One option of the command line. */
export interface OptionSpec {
  /** Stands for the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly meaning: string;
  readonly short?: string;
  readonly isRepeatable?: boolean;
  /** A query parameter of the API: of the same name, with underscores. */
  readonly isParameter?: boolean;
  /** What the value is one of, where it is one of a few words. */
  readonly words?: readonly string[];
  readonly isFile?: boolean;
  /** The value may be left out, and is then `implied`; what is one looks like `pattern`. */
  readonly optionalValue?: { readonly implied: string; readonly pattern: RegExp };
}

/** How many the read API gives when nobody says. */
export const DEFAULT_SPANS = 1000;
export const DEFAULT_TRACES = 100;

function parameter(value: string, meaning: string, words?: readonly string[]) {
  return { value, meaning, isParameter: true, ...(words === undefined ? {} : { words }) };
}

function parameterSwitch(meaning: string) {
  return { meaning, isParameter: true };
}

/** Turns the name of a query parameter into that of its option. */
type OptionOf<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}-${OptionOf<Rest>}`
  : Name;

type FilterOption = OptionOf<ConditionName>;

function optionOf(name: ConditionName): FilterOption {
  return name.replaceAll("_", "-") as FilterOption;
}

/** Names the options that select spans, one for each condition. */
export const FILTER_OPTIONS: readonly FilterOption[] = CONDITION_NAMES.map(optionOf);

function filterOptions(): Record<FilterOption, OptionSpec> {
  const entries = CONDITION_NAMES.map((name) => {
    const { option, isRepeatable = false } = CONDITION_ROWS[name];
    return [optionOf(name), { ...option, isParameter: true, isRepeatable }];
  });
  return Object.fromEntries(entries) as Record<FilterOption, OptionSpec>;
}

/**
 * Every option there is. The arguments are checked, and help and completions are made, from this
 * table and from the one in `command-table.ts` that says which command takes what.
 */
const SPECS = {
  ...filterOptions(),
  after: parameter("CURSOR", "after this span: its sequence, or RUN_ID-SEQUENCE"),
  limit: parameter("N", `at most so many (${DEFAULT_SPANS}; of traces ${DEFAULT_TRACES})`),
  order: parameter("ORDER", "which come first: oldest or newest", ["oldest", "newest"]),

  count: parameter("N", "how many spans to wait for (1)"),
  timeout: parameter("TIME", "how long to wait (10s)"),
  absent: parameterSwitch("with --count 0: succeed when none comes within the time"),
  "trace-complete": parameterSwitch("wait for a whole trace: its root has ended, and it is quiet"),
  quiet: parameter("TIME", "how long a trace must be quiet to be complete (200ms)"),

  json: { meaning: "JSON, also on a terminal: OTLP/JSON for spans" },
  otlp: { meaning: "protobuf bytes: one ExportTraceServiceRequest" },
  out: { value: "FILE", meaning: "write to this file; it appears when it is whole", isFile: true },
  format: {
    value: "FORMAT",
    meaning: "of the file, whatever its ending: json (lines) or proto (with lengths)",
    words: ["json", "proto"],
  },

  to: { value: "URL", meaning: "where OTLP/HTTP listens (http://127.0.0.1:4318)" },
  rate: { value: "N", meaning: "spans a second" },
  pace: {
    value: "[FACTOR]",
    meaning: "the gaps of the original times, or 10x as fast",
    optionalValue: { implied: "1x", pattern: /^\d+(\.\d+)?x$/ },
  },

  expect: {
    value: "EXPECTATION",
    meaning: "what the command must emit; repeatable",
    isRepeatable: true,
  },
  settle: { value: "TIME", meaning: "how long to wait for spans that are still missing (1s)" },
  junit: { value: "FILE", meaning: "write the outcome as JUnit XML", isFile: true },
  protocol: {
    value: "PROTOCOL",
    meaning: "that the command exports by (the environment's, else http/protobuf)",
    words: ["http/protobuf", "http/json", "grpc"],
  },

  url: { value: "URL", meaning: "where spanring's read API is (SPANRING_URL)" },
  check: { meaning: "show the configuration this environment gives, and whether it is right" },
  help: { meaning: "this text", short: "h" },
  version: { meaning: "the version", short: "V" },
} as const;

export type OptionName = keyof typeof SPECS;

export const OPTIONS: Readonly<Record<OptionName, OptionSpec>> = SPECS;

export const OPTION_NAMES = Object.keys(SPECS) as readonly OptionName[];

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(SPECS, name);
}

/** As it is written, with the stand-in for its value: `--limit N`. */
export function optionUsage(name: OptionName): string {
  const { value } = OPTIONS[name];
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
