import { VARIABLES } from "../../../config/variables.ts";
import {
  CONDITION_NAMES,
  CONDITION_ROWS,
  type ConditionName,
} from "../../../domain/query/span-filter.ts";

/** Describes an option of the command line. */
export interface OptionSpec {
  /** The placeholder of the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly meaning: string;
  readonly short?: string;
  readonly isRepeatable?: boolean;
  /** Whether it is a query parameter of the API, with underscores in its name. */
  readonly isParameter?: boolean;
  /** The possible values if the value is one of a few words. */
  readonly words?: readonly string[];
  readonly isFile?: boolean;
  /** Makes the value optional: `implied` is its default, and a value must match `pattern`. */
  readonly optionalValue?: { readonly implied: string; readonly pattern: RegExp };
}

/** The default limits of the read API. */
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

const OWN_API = `http://127.0.0.1:${VARIABLES.API_PORT.unset}`;

/**
 * Lists every option. The parser, the help and the completions derive from this table and from
 * `command-table.ts`, which says what each command takes.
 */
const SPECS = {
  ...filterOptions(),
  after: parameter("CURSOR", "spans after this one: its sequence, or RUN_ID-SEQUENCE"),
  limit: parameter("N", `maximum number (default ${DEFAULT_SPANS}; ${DEFAULT_TRACES} for traces)`),
  order: parameter("ORDER", "whether the oldest or the newest come first", ["oldest", "newest"]),

  attributes: { meaning: "list the attributes below each span" },

  count: parameter("N", "number of spans to wait for (default 1)"),
  timeout: parameter("TIME", "how long to wait (default 10s)"),
  absent: parameterSwitch("with --count 0: succeed if no span matches before the timeout"),
  "trace-complete": parameterSwitch(
    "wait for a complete trace: its root has ended, and no more spans arrive",
  ),
  quiet: parameter(
    "TIME",
    "time without new spans after which a trace is complete (default 200ms)",
  ),

  json: { meaning: "print JSON even on a terminal; OTLP/JSON for spans" },
  otlp: { meaning: "print protobuf bytes: one ExportTraceServiceRequest" },
  out: {
    value: "FILE",
    meaning: "write to this file, which appears once it is complete",
    isFile: true,
  },
  format: {
    value: "FORMAT",
    meaning: "format of the file: json (lines) or proto (length-delimited)",
    words: ["json", "proto"],
  },

  to: {
    value: "URL",
    meaning: "OTLP/HTTP endpoint, or Kafka topic (default http://127.0.0.1:4318)",
  },
  from: { value: "URL", meaning: "send the messages of this Kafka topic instead of files" },
  follow: { meaning: "after those since WHEN, send new messages until Ctrl-C" },
  rate: { value: "N", meaning: "spans per second" },
  pace: {
    value: "[FACTOR]",
    meaning: "keep the original timing, or speed it up: 10x is ten times as fast",
    optionalValue: { implied: "1x", pattern: /^\d+(\.\d+)?x$/ },
  },

  expect: {
    value: "EXPECTATION",
    meaning: "what spans must be like; see spanring help expectations; repeatable",
    isRepeatable: true,
  },
  "expect-file": {
    value: "FILE",
    meaning: "a list of expectations, YAML or JSON; repeatable",
    isFile: true,
    isRepeatable: true,
  },
  settle: {
    value: "TIME",
    meaning: "how long to wait for missing spans after the command (default 1s)",
  },
  junit: {
    value: "FILE",
    meaning: "write the result as JUnit XML to this file, not to standard output",
    isFile: true,
  },
  protocol: {
    value: "PROTOCOL",
    meaning: "protocol of the exporter (default: the environment's, or http/protobuf)",
    words: ["http/protobuf", "http/json", "grpc"],
  },

  tail: { meaning: "show spans on standard error while the command runs" },
  show: { meaning: "show the traces on standard error at the end" },

  alive: { meaning: "ask whether it is alive, even if it is not ready" },
  hash: { meaning: "print the hash of the token on standard input" },
  "token-file": {
    value: "FILE",
    meaning: "file whose first line is the token to send (default: SPANRING_TOKEN)",
    isFile: true,
  },
  ca: {
    value: "FILE",
    meaning: "certificate authorities to trust instead of the system's, in PEM",
    isFile: true,
  },
  url: {
    value: "URL",
    meaning: `read API, or unix:/PATH (default: SPANRING_URL, or ${OWN_API})`,
  },
  "ready-file": {
    value: "FILE",
    meaning: "write the endpoints to this file, once listening",
    isFile: true,
  },
  "print-env": { meaning: "print shell exports for an application, once listening" },
  check: { meaning: "validate the configuration and print it" },
  help: { meaning: "print this help", short: "h" },
  version: { meaning: "print the version", short: "V" },
} as const;

export type OptionName = keyof typeof SPECS;

export const OPTIONS: Readonly<Record<OptionName, OptionSpec>> = SPECS;

export const OPTION_NAMES = Object.keys(SPECS) as readonly OptionName[];

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(SPECS, name);
}

/** Returns the option with the placeholder of its value, such as `--limit N`. */
export function optionUsage(name: OptionName): string {
  const { value } = OPTIONS[name];
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
