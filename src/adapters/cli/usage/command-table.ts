import { API_COMMANDS } from "./api-commands.ts";
import type { CommandSpec } from "./command-spec.ts";
import { type OptionName, OPTIONS } from "./option-table.ts";

const SPECS = {
  ...API_COMMANDS,
  send: {
    operands: "[FILE...]",
    // Not with --from.
    minOperands: 0,
    maxOperands: Infinity,
    summary: "send files of spans, or a Kafka topic, to a receiver",
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
      "--to kafka://BROKER:PORT,BROKER:PORT/TOPIC, or kafkas:// with TLS, makes each request a " +
        "message of a topic, in protobuf (otlp_proto) and without invalid spans. The variables " +
        "FORWARD_TLS_*, FORWARD_SASL_*, FORWARD_COMPRESSION, FORWARD_KAFKA_KEY, FORWARD_HEADERS, " +
        "FORWARD_HEADERS_FILE and FORWARD_TIMEOUT_MS apply as when spans are forwarded, unless " +
        "FORWARD_ENDPOINT is set to something other than Kafka. A message may be stored twice if " +
        "a broker does not answer within FORWARD_TIMEOUT_MS.",
      "--from kafka://BROKER:PORT/TOPIC sends the messages of a topic, with the same variables " +
        "for its brokers: with --since those from then to now, and otherwise new ones until " +
        "Ctrl-C, which is then a success. It joins no group and commits no offset, so other " +
        "readers do not notice. Messages that are not otlp_proto are skipped, and standard error " +
        "says where they are.",
    ],
    options: ["to", "from", "since", "follow", "rate", "pace", "token-file", "ca", "help"],
    meanings: {
      since: "messages written at this time or later: RFC 3339, date, Unix time, 5m (ago)",
    },
    found: "everything was accepted",
    notFound: "something was refused, rejected, or cannot be read; the rest was sent",
    examples: [
      "spanring send spans.jsonl --pace 10x",
      "spanring tail --status error | spanring send --to http://collector:4318 -",
      "spanring send --to kafka://broker:9092/otlp_spans spans.jsonl",
      "spanring send --from kafka://broker:9092/otlp_spans --since 10m",
    ],
  },
  run: {
    operands: "-- COMMAND...",
    minOperands: 1,
    maxOperands: Infinity,
    summary: "run a command with a receiver, and check its spans",
    details: [
      "The command finds the receiver in its environment, and its OpenTelemetry SDK exports " +
        "traces there promptly. OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL are " +
        "always set, and variables that override them for traces are removed. " +
        "OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER and " +
        "OTEL_BSP_SCHEDULE_DELAY are set unless you have set them. 127.0.0.1 and " +
        "localhost are added to NO_PROXY and no_proxy. SPANRING_URL is the receiver's read API, " +
        "for spanring wait inside the command; --ready-file is for programs beside it. Limits " +
        "such as MAX_BUFFER_SIZE are taken from the environment; FORWARD_ENDPOINT and " +
        "DATA_DIR are ignored.",
      "An expectation is a list of conditions joined by ' & ', as in " +
        "'name=GET / & service=shop & count>=2', and may compare spans: with their ancestors, in " +
        "their order, or all of them. spanring help expectations describes the language.",
      "Input, output and exit code are those of the command, and signals such as SIGINT, " +
        "SIGTERM, SIGHUP and SIGQUIT are passed on to it. spanring reports on standard error " +
        "what was expected and what was seen instead. The exit code of a failing command takes " +
        "precedence over that of an expectation. In GitHub Actions, each failure is an " +
        "annotation, and the summary of the step lists the results.",
    ],
    options: [
      "tail",
      "show",
      "expect",
      "expect-file",
      "settle",
      "out",
      "format",
      "junit",
      "ready-file",
      "protocol",
      "help",
    ],
    found: "the command exited with 0, and every expectation was met",
    notFound: "it exited with 0, but an expectation was not met, or FILE could not be written",
    isLocal: true,
    isSilent: true,
    hasAnyExitCode: true,
    otherExits: [
      ["126, 127", "the command or its interpreter was not found, or cannot be executed"],
      ["any other", "the command's own; 128 plus the number of a signal that ended it or spanring"],
    ],
    examples: [
      "spanring run --tail -- npm start",
      "spanring run --expect 'name=GET / & count>=1' -- npm test",
      "spanring run --expect 'status=error & count=0' --junit spans.xml -- node app.js",
    ],
  },
  log: {
    operands: "DIR",
    minOperands: 1,
    maxOperands: 1,
    summary: "list and verify a DATA_DIR that no spanring uses",
    details: [
      "Reads all files as a start does, and changes nothing. On a terminal it prints a table of " +
        "the files, and a line for each place that cannot be read; in a pipe, one JSON object. " +
        "Spans are those that the next start would restore.",
      "Damaged: bytes that were intact once. Their spans are lost, and a start restores all " +
        "others. Torn: a write that a crash interrupted, which DURABILITY=disk has not " +
        "acknowledged. Missing: a file that something other than spanring has removed.",
      "A directory in use is not read, because it changes: stop that spanring, or read a copy.",
    ],
    options: ["json", "help"],
    found: "every acknowledged span can be read; torn writes do not count",
    notFound: "damage or lost spans; or the directory has no log, is in use, or cannot be read",
    isLocal: true,
    examples: ["spanring log data", "spanring log data | jq .damage"],
  },
  healthcheck: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "exit with 0 if spanring is ready, for probes",
    details: [
      "Asks GET /readyz of the read API, or GET /healthz with --alive, and prints the status. " +
        "Without --url and SPANRING_URL, the receiver is the one that API_HOST, API_PORT and " +
        "API_TLS_CERT_FILE of this environment configure, as in a container: its certificate " +
        "is not checked, and if it asks for one, it gets its own. No token is needed.",
      "spanring is ready from its start to its stop, unless its disk fails. A full buffer and an " +
        "upstream that is down do not count.",
    ],
    options: ["alive", "url", "token-file", "ca", "help"],
    found: "ready; with --alive, alive",
    notFound: "not ready, no answer within 3 s, or not spanring",
    isLocal: true,
    examples: ["spanring healthcheck", "spanring healthcheck --url http://buffer:4319 --alive"],
  },
  token: {
    operands: "",
    minOperands: 0,
    maxOperands: 0,
    summary: "create a token for exporters or readers",
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
      "The scripts complete --service by spanring completions services, which lists the " +
        "services of the running spanring whose names need no quotes.",
    ],
    options: ["help"],
    found: "done",
    isLocal: true,
    otherExits: [["3", "services: cannot connect, or unusable response"]],
    examples: [],
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof SPECS;

export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = SPECS;

export const COMMAND_NAMES = Object.keys(SPECS) as readonly CommandName[];

/** Returns what an option means to a command. */
export function meaningIn(command: CommandName, option: OptionName): string {
  return COMMANDS[command].meanings?.[option] ?? OPTIONS[option].meaning;
}

/** Options of `spanring` without a command, which serves. */
export const SERVE_OPTIONS = [
  "ready-file",
  "print-env",
  "check",
  "help",
  "version",
] as const satisfies readonly OptionName[];

/** Words that ask for help or for the version, like the options of these names. */
export const SERVE_WORDS = ["help", "version"] as const;

/** What `spanring help` explains, besides the commands. */
export const HELP_TOPICS = ["environment", "ports", "exit-codes", "expectations"] as const;

export type HelpTopic = (typeof HELP_TOPICS)[number];

/** Operands of `spanring completions`. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(SPECS, name);
}
