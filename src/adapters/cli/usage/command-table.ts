import { FILTER_OPTIONS, type OptionName } from "./option-table.ts";

/** Describes a command of the command line, other than serving. */
export interface CommandSpec {
  /** The operands in the usage line, such as `[TRACE_ID]` or `FILE...`; empty for none. */
  readonly operands: string;
  readonly minOperands: number;
  readonly maxOperands: number;
  /** Says in one line what the command does. */
  readonly summary: string;
  /** Paragraphs of whole sentences; the help wraps them. */
  readonly details: readonly string[];
  readonly options: readonly OptionName[];
  readonly found: string;
  readonly notFound?: string;
  /** Whether the command connects to no spanring, so that no connection can fail. */
  readonly isLocal?: boolean;
  /** Whether the command prints nothing, so that no output can fail. */
  readonly isSilent?: boolean;
  readonly otherExits?: readonly (readonly [code: string, meaning: string])[];
  readonly examples: readonly string[];
}

const WHERE = ["url", "token-file", "ca", "help"] as const;
const FORMS = ["json", "otlp", "out", "format"] as const;

const FILE_FORMATS =
  "The ending of the file name selects the format: .json, .jsonl and .ndjson are OTLP/JSON, one " +
  "request per line; .binpb, .pb and .proto are protobuf, each request preceded by its length as " +
  "four bytes, big endian. The Collector's file exporter and spanring send use the same formats. " +
  "Symbolic links are followed; a pipe or a device receives spans as they arrive.";

const PRINTED = "On a terminal it prints a table; in a pipe, NDJSON with one span per line.";

const SPECS = {
  tail: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show spans as they arrive, until Ctrl-C",
    details: [
      PRINTED,
      "If spans were evicted before they could be shown, or there was no memory to copy them, " +
        "standard error says how many.",
      "If the connection ends, it reconnects for up to five seconds and continues after the " +
        "last span shown. If spanring was restarted, it says so and shows the spans of the new " +
        "run.",
    ],
    options: [...FILTER_OPTIONS, "after", "json", ...WHERE],
    found: "stopped by Ctrl-C, or the reader closed the pipe",
    examples: ["spanring tail --status error", "spanring tail | jq .name"],
  },
  get: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "show or save buffered spans, which stay in the buffer",
    details: [
      PRINTED,
      "The newest come first, unless --order or --after is given. With --trace-id, a terminal " +
        "shows the trace as a tree; with --span-id, the whole span. Without --limit, standard " +
        "error says if there may be more; with --out, all matching spans are saved.",
      FILE_FORMATS,
    ],
    options: [...FILTER_OPTIONS, "after", "limit", "order", ...FORMS, ...WHERE],
    found: "at least one span",
    notFound: "no span found, or the file cannot be written",
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
      "Without TRACE_ID: one line for each trace with a matching span.",
      "With TRACE_ID: that trace; on a terminal as a tree with durations and time bars, in a " +
        "pipe as NDJSON with one span per line. The first four or more digits are enough, such " +
        "as the eight that tables show; they are looked up in the newest 10,000 traces.",
    ],
    options: [...FILTER_OPTIONS, "attributes", "after", "limit", "order", ...FORMS, ...WHERE],
    found: "at least one trace",
    notFound: "no trace found",
    examples: ["spanring traces --status error", "spanring traces 0af76519 --attributes"],
  },
  span: {
    operands: "SPAN_ID",
    minOperands: 1,
    maxOperands: 1,
    summary: "show one span with everything it contains",
    details: [
      "On a terminal it prints keys and values: attributes, events with exceptions, links, " +
        "resource and scope. In a pipe, NDJSON with one span per line.",
    ],
    options: [...FORMS, ...WHERE],
    found: "the span",
    notFound: "no buffered span has this id, or the file cannot be written",
    examples: ["spanring span b7ad6b7169203331"],
  },
  wait: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "wait for spans, in tests",
    details: [
      "Ends as soon as enough matching spans are buffered, and prints them. Spans that arrived " +
        "earlier count too, unless --after excludes them.",
      "On a timeout, standard error says how many spans matched, and how many would match " +
        "without the last filter.",
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
    found: "the spans arrived; with --absent, none arrived",
    notFound: "timed out; with --absent, a span arrived",
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
      "The buffer is first in, first out, so take has no filters. Spans in flight to the " +
        "upstream are not taken.",
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
    summary: "show counters, and what was refused or discarded",
    details: [
      "On a terminal it prints tables; in a pipe, the JSON object of GET /api/stats with the " +
        "problems of GET /api/problems: what was refused or discarded, and what to do about it.",
      "Spans in flight to the upstream count as buffered until it responds. If forwarding is " +
        "enabled, its state is shown too.",
    ],
    options: ["json", ...WHERE],
    found: "done",
    examples: ["spanring stats", "spanring stats --json | jq .forward"],
  },
  clear: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "remove all buffered spans, without confirmation",
    details: [
      "Prints how many were removed; they count as taken. Spans in flight to the upstream stay " +
        "until it responds.",
    ],
    options: ["json", ...WHERE],
    found: "done, even if there was nothing to remove",
    examples: ["spanring clear"],
  },
  send: {
    operands: "FILE...",
    minOperands: 1,
    maxOperands: Infinity,
    summary: "send files of spans to an OTLP/HTTP endpoint",
    details: [
      "Reads OTLP/JSON (requests, or the spans that get, take, tail and wait print in a pipe), " +
        "length-delimited protobuf, and a single bare protobuf request, regardless of the file " +
        "name; also compressed with gzip or zstd, as a whole or message by message. The name - " +
        "means standard input. Broken parts are skipped: standard error says where they are, " +
        "and the rest is sent.",
      "The bytes are sent unchanged. A request that is temporarily refused (429, 502, 503, 504) " +
        "is retried, with six attempts in all; one that is too large for the receiver (413) is " +
        "split. If the receiver does not respond within 60 s, the command gives up.",
      "Spans that the receiving buffer still holds will be stored twice. To move spans, save " +
        "them with take, which removes them, instead of get.",
      "With --rate, a request with more than a tenth of a second's worth of spans is split, " +
        "and each piece is sent when it is due. With --pace, a request is due when its earliest " +
        "span began, and none is split.",
    ],
    options: ["to", "rate", "pace", "token-file", "ca", "help"],
    found: "everything was accepted",
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
    summary: "run a command with a receiver, and check the spans it emits",
    details: [
      "The command finds the receiver in its environment, and its OpenTelemetry SDK exports " +
        "traces there promptly. OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL are " +
        "always set, and variables that override them for traces are removed. " +
        "OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER and " +
        "OTEL_BSP_SCHEDULE_DELAY are set unless you have set them. 127.0.0.1 and " +
        "localhost are added to NO_PROXY and no_proxy. SPANRING_URL is the receiver's read API, " +
        "for spanring wait inside the command. Limits such as MAX_BUFFER_SIZE are taken from the " +
        "environment; FORWARD_ENDPOINT and SHUTDOWN_SPILL_FILE are ignored.",
      "An expectation is a list of conditions joined by ' & ': filters as name=value, and " +
        "count with >=, =, <=, < or >, as in 'name=GET / & service=shop & count>=2'. The default " +
        "is count>=1; count=0 means that no span may match. If spans were evicted, rejected or " +
        "refused, a count with =, <= or < is not met, because they might have matched. In a " +
        "value, write \\& for &.",
      "Input, output and exit code are those of the command, and signals such as SIGINT, " +
        "SIGTERM, SIGHUP and SIGQUIT are passed on to it. spanring reports on standard error " +
        "what was expected and what was seen instead. The exit code of a failing command takes " +
        "precedence over that of an expectation.",
    ],
    options: ["expect", "settle", "junit", "protocol", "help"],
    found: "the command exited with 0, and every expectation was met",
    notFound: "it exited with 0, but an expectation was not met, or FILE could not be written",
    isLocal: true,
    isSilent: true,
    otherExits: [
      ["126, 127", "the command or its interpreter was not found, or cannot be executed"],
      ["any other", "the command's own; 128 plus the number of the signal that ended it"],
    ],
    examples: [
      "spanring run --expect 'name=GET / & count>=1' -- npm test",
      "spanring run --expect 'status=error & count=0' --junit spans.xml -- node app.js",
    ],
  },
  token: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "create a token for OTLP_AUTH_TOKENS_FILE or API_AUTH_TOKENS_FILE",
    details: [
      "Prints two lines: the token, which a client sends, and its SHA-256 hash, which stands for " +
        "it in the file. The token cannot be recovered from the hash.",
      "An exporter sends it with OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN, a " +
        "command with --token-file or SPANRING_TOKEN. The file may have several tokens, one per " +
        "line, so that each client can have its own, and old ones can be replaced step by step. " +
        "spanring reads it again when it changes.",
    ],
    options: ["hash", "help"],
    found: "done",
    isLocal: true,
    examples: ["spanring token", "spanring token --hash < token"],
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

/** Options of `spanring` without a command, which serves. */
export const SERVE_OPTIONS = ["check", "help", "version"] as const satisfies readonly OptionName[];

/** Operands of `spanring completions`. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(SPECS, name);
}
