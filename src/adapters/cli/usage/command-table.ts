import { FILTER_OPTIONS, type OptionName } from "./option-table.ts";

/** One command of the command line, besides serving. */
export interface CommandSpec {
  /** As the usage line shows them: `[TRACE_ID]`, `FILE...`; empty for none. */
  readonly operands: string;
  readonly minOperands: number;
  readonly maxOperands: number;
  /** What it does, in one line. */
  readonly summary: string;
  /** What else to know, in whole sentences: paragraphs, to be wrapped. */
  readonly details: readonly string[];
  readonly options: readonly OptionName[];
  readonly found: string;
  readonly notFound?: string;
  /** Talks to no other spanring, so it cannot fail to connect to one. */
  readonly isLocal?: boolean;
  /** Prints nothing, so it cannot fail to. */
  readonly isSilent?: boolean;
  readonly otherExits?: readonly (readonly [code: string, meaning: string])[];
  readonly examples: readonly string[];
}

const WHERE = ["url", "help"] as const;
const FORMS = ["json", "otlp", "out", "format"] as const;

const FILE_FORMATS =
  "The file's ending says its format: .json, .jsonl and .ndjson are OTLP/JSON, one request a " +
  "line; .binpb, .pb and .proto are protobuf, each request behind its length in four bytes, big " +
  "endian. The collector's file exporter and spanring send know both. A link is followed; into a " +
  "pipe or a device the spans go as they come.";

const PRINTED = "On a terminal it is a table; in a pipe, NDJSON: one span a line.";

const SPECS = {
  tail: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show spans as they come, until Ctrl-C",
    details: [
      PRINTED,
      "When spans were evicted before they could be shown, or there was no memory to copy them, " +
        "standard error says how many.",
      "When the connection ends, it reconnects for up to five seconds and continues after the " +
        "last span that it showed. When spanring was restarted, it says so, and shows the spans " +
        "of the new run.",
    ],
    options: [...FILTER_OPTIONS, "after", "json", ...WHERE],
    found: "stopped by Ctrl-C, or its reader has left",
    examples: ["spanring tail --status error", "spanring tail | jq .name"],
  },
  get: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show or save buffered spans; they stay",
    details: [
      PRINTED,
      "With --trace-id a terminal shows the trace as a tree. Without --limit standard error says " +
        "when there may be more; with --out all are saved.",
      FILE_FORMATS,
    ],
    options: [...FILTER_OPTIONS, "after", "limit", "order", ...FORMS, ...WHERE],
    found: "at least one span",
    notFound: "no span; or the file cannot be written",
    examples: [
      "spanring get --service shop --name 'GET /' --min-duration 250ms",
      "spanring get --since 5m --out spans.jsonl",
    ],
  },
  traces: {
    operands: "[TRACE_ID]",
    minOperands: 0,
    maxOperands: 1,
    summary: "list traces, or show one as a tree",
    details: [
      "Without TRACE_ID: a line for each trace with a matching span.",
      "With it: that trace, as a tree with durations and time bars on a terminal, and in a pipe " +
        "as NDJSON, one span a line. Its first digits will do, at least four, such as the eight " +
        "that tables show; they are looked for in the newest 10,000 traces.",
    ],
    options: [...FILTER_OPTIONS, "after", "limit", "order", ...FORMS, ...WHERE],
    found: "at least one trace",
    notFound: "no trace, or none with that id",
    examples: ["spanring traces --status error", "spanring traces 0af76519"],
  },
  wait: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "wait for spans, for tests",
    details: [
      "Ends as soon as enough matching spans are buffered, those of before included (--after " +
        "leaves them out), and prints them.",
      "When the time is up, standard error says how many there were, and what there was without " +
        "the last filter that was given.",
    ],
    options: [
      ...FILTER_OPTIONS,
      "count",
      "timeout",
      "absent",
      "trace-complete",
      "quiet",
      "after",
      ...FORMS,
      ...WHERE,
    ],
    found: "the spans came; with --absent, none came",
    notFound: "not in time; with --absent, one came",
    examples: [
      "spanring wait --name 'GET /orders' --count 2 --timeout 5s",
      "spanring wait --status error --count 0 --absent --timeout 2s",
    ],
  },
  take: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "print or save the oldest spans, and remove them",
    details: [
      "The buffer is first in, first out: so there are no filters. Spans in flight to the " +
        "upstream are left to it.",
      PRINTED,
      FILE_FORMATS,
    ],
    options: ["limit", ...FORMS, ...WHERE],
    found: "at least one span",
    notFound: "the buffer is empty; or the file cannot be written, and nothing was taken",
    examples: [
      "while spanring take --limit 1000 >> spans.ndjson; do :; done",
      "spanring send spans.ndjson",
    ],
  },
  stats: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show the books, and what was refused: what came, what became of it",
    details: [
      "On a terminal it is a table; in a pipe, the JSON object of GET /api/stats, with the " +
        "problems of GET /api/problems: what was refused or discarded, and what to do.",
      "Spans in flight to the upstream are buffered in the books until it answers. Where spans " +
        "are forwarded, it tells how that is going, too.",
    ],
    options: ["json", ...WHERE],
    found: "done",
    examples: ["spanring stats", "spanring stats --json | jq .forward"],
  },
  clear: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "remove every buffered span, without asking",
    details: [
      "Says how many were removed. The books count them as taken. Spans in flight to the " +
        "upstream stay until it answers.",
    ],
    options: ["json", ...WHERE],
    found: "done, also when there was nothing to remove",
    examples: ["spanring clear"],
  },
  send: {
    operands: "FILE...",
    minOperands: 1,
    maxOperands: Infinity,
    summary: "send files of spans to an OTLP/HTTP endpoint",
    details: [
      "Reads OTLP/JSON (requests, or the spans that get, take, tail and wait print in a pipe), " +
        "protobuf with lengths, and one bare protobuf request, whatever the file is called; also " +
        "in gzip or zstd, as a whole or message by message. - is standard input. A part that is " +
        "broken is skipped: standard error says where, and the rest is sent.",
      "The bytes are sent as they are. What is refused for now (429, 502, 503, 504) is sent " +
        "again, six times in all; what is too large for the receiver (413) is sent in parts.",
      "Spans that are still in the buffer they are sent to are there twice: get leaves them in " +
        "it, take does not.",
      "At a --rate a request with more spans than a tenth of a second has is cut, and each piece " +
        "waits for the time of the spans before it. With --pace a request is due when its " +
        "earliest span began, and none is cut.",
    ],
    options: ["to", "rate", "pace", "help"],
    found: "all was accepted",
    notFound: "something was refused or rejected, or a file is broken; the rest was sent",
    examples: [
      "spanring send spans.jsonl --pace 10x",
      "spanring tail --status error | spanring send --to http://collector:4318 -",
    ],
  },
  run: {
    operands: "-- COMMAND...",
    minOperands: 1,
    maxOperands: Infinity,
    summary: "run a command with a receiver beside it, and check what it emits",
    details: [
      "The command's OpenTelemetry SDK finds the receiver in its environment, and exports " +
        "traces there at once. OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL are " +
        "set in any case, and what would overrule them for traces is left out; what you set " +
        "yourself of OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER and " +
        "OTEL_BSP_SCHEDULE_DELAY stays. NO_PROXY and no_proxy get 127.0.0.1 and localhost added. " +
        "SPANRING_URL is the receiver's read API, for spanring wait within the command. Its " +
        "limits, such as MAX_BUFFER_SIZE, are those of the environment; FORWARD_ENDPOINT " +
        "and SHUTDOWN_SPILL_FILE are not for it.",
      "An expectation is conditions joined by ' & ', each name=value as in a filter, and count " +
        "with >=, =, <=, < or >: 'name=GET / & service=shop & count>=2'. Without a count there " +
        "must be one; count=0 is for what must not be there. When spans were evicted, rejected " +
        "or refused, a count with =, <= or < is not met: they may match too. In a value \\& is &.",
      "Input, output and exit code are the command's own, and signals such as SIGINT, SIGTERM, " +
        "SIGHUP and SIGQUIT are passed on to it. What spanring has to say is on standard error: " +
        "what was expected, and what was seen instead. The exit code of a command that fails " +
        "comes before that of an expectation.",
    ],
    options: ["expect", "settle", "junit", "protocol", "help"],
    found: "the command ended with 0, and every expectation was met",
    notFound: "it ended with 0, but an expectation was not met, or FILE could not be written",
    isLocal: true,
    isSilent: true,
    otherExits: [
      ["126, 127", "the command, or its interpreter, cannot be executed; there is no command"],
      ["any other", "the command's own; 128 and the signal's number when a signal ended it"],
    ],
    examples: [
      "spanring run --expect 'name=GET / & count>=1' -- npm test",
      "spanring run --expect 'status=error & count=0' --junit spans.xml -- node app.js",
    ],
  },
  completions: {
    operands: "SHELL",
    minOperands: 1,
    maxOperands: 1,
    summary: "print a completion script for bash, zsh or fish",
    details: [
      "bash: source <(spanring completions bash)",
      'zsh:  spanring completions zsh > "${fpath[1]}/_spanring"',
      "fish: spanring completions fish > ~/.config/fish/completions/spanring.fish",
    ],
    options: ["help"],
    found: "done",
    isLocal: true,
    examples: [],
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof SPECS;

export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = SPECS;

export const COMMAND_NAMES = Object.keys(SPECS) as readonly CommandName[];

/** What plain `spanring`, which serves, takes. */
export const SERVE_OPTIONS = ["check", "help", "version"] as const satisfies readonly OptionName[];

/** What the operand of a command may be, where it is one of a few words. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(SPECS, name);
}
