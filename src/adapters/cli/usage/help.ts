import { VARIABLE_NAMES, VARIABLES } from "../../../config/variables.ts";
import { EXIT_CODE } from "../output/exit-code.ts";
import type { Palette } from "../output/palette.ts";
import { ENDED_CODES } from "./command-help.ts";
import { COMMAND_NAMES, COMMANDS, HELP_TOPICS, type HelpTopic } from "./command-table.ts";
import { expectationSections } from "./expectations-help.ts";
import { OPTIONS, optionUsage } from "./option-table.ts";

const GRPC_PORT = VARIABLES.OTLP_GRPC_PORT.unset;
const HTTP_PORT = VARIABLES.OTLP_HTTP_PORT.unset;
const API_PORT = VARIABLES.API_PORT.unset;

const HELP_COLUMNS = 100;
const INDENT = " ".repeat(6);

/** A word, and its meaning beside or below it. */
type Entry = readonly [word: string, meaning: string];

/** Returns the output of `--help`, which fits a terminal of 80 columns and 24 lines. */
export function helpText(version: string, { heading, word }: Palette): string {
  const topics = HELP_TOPICS.join(", ");
  const entries = columns([
    ["", `receive spans: OTLP/gRPC on ${GRPC_PORT}, OTLP/HTTP on ${HTTP_PORT}`],
    ["--check", OPTIONS.check.meaning],
    ...COMMAND_NAMES.map((name): Entry => [name, COMMANDS[name].summary]),
    ["help COMMAND", "options and examples of a command"],
    ["help TOPIC", `${topics}`],
  ]);
  const lines = entries.map(([name, meaning]) => `  ${word(`spanring ${name}`)}${meaning}`);
  return `${heading(`spanring ${version}`)} - a bounded buffer for OpenTelemetry traces

${lines.join("\n")}
`;
}

/** Returns the output of `spanring help TOPIC`. */
export function topicText(topic: HelpTopic, palette: Palette): string {
  return `${TOPIC_SECTIONS[topic](palette).join("\n\n")}\n`;
}

/** The sections of each topic. Variables, defaults and bounds come from `config/`. */
const TOPIC_SECTIONS: Readonly<Record<HelpTopic, (palette: Palette) => string[]>> = {
  environment: (palette) => [
    section("Environment", variables(), palette),
    section("Environment of commands", commandVariables(), palette),
    section("Examples", examples(), palette),
  ],
  expectations: expectationSections,
  ports: (palette) => [
    section("Ports", ports(), palette),
    section("Ports in use", announcements(), palette),
  ],
  "exit-codes": (palette) => [
    section("Exit codes", exitCodes(), palette),
    section("Signals", signals(), palette),
  ],
};

function section(title: string, entries: readonly Entry[], { heading, word }: Palette): string {
  const lines = entries.map(([name, meaning]) => `  ${word(name)}${meaning}`);
  return [heading(title), ...lines].join("\n");
}

function signals(): Entry[] {
  return columns([
    ["SIGTERM, SIGINT", "stop: send what can be sent within the grace period, and save the rest;"],
    ["", "a second signal ends the grace period, a third exits at once, with 143 or 130"],
    ["SIGQUIT", "stop without the grace period"],
    ["SIGHUP", "stop if the terminal was closed; without a terminal, reload tokens, headers, TLS"],
    ["in commands", "SIGTERM and SIGINT end a command; a second one ends it at once;"],
    ["", "run forwards signals"],
  ]);
}

function commandVariables(): Entry[] {
  return columns([
    ["SPANRING_URL", `read API of commands, as --url (default http://127.0.0.1:${API_PORT})`],
    ["SPANRING_TOKEN", "token of commands; --token-file overrides it"],
    ["HTTP_PROXY", "proxy of commands, for other machines only"],
    ["NO_COLOR", "disables colours, as TERM=dumb does"],
  ]);
}

function ports(): Entry[] {
  return columns([
    [GRPC_PORT, "OTLP/gRPC, gRPC health and reflection"],
    [HTTP_PORT, "OTLP/HTTP: POST /v1/traces as protobuf or JSON"],
    [API_PORT, "the read API, described by GET /api/openapi.json, and a page for browsers at /:"],
    ["", "GET, DELETE /api/spans, POST /api/spans/take, POST /api/upload,"],
    ["", "GET /api/traces, /api/traces/{trace_id}, /api/services, /api/operations,"],
    ["", "/api/service-graph, /api/wait, /api/tail, /api/stats, /api/receivers, /api/problems,"],
    ["", "/healthz, /readyz, /metrics"],
  ]);
}

function announcements(): Entry[] {
  const options = ["ready-file", "print-env"] as const;
  return columns(options.map((name) => [optionUsage(name), OPTIONS[name].meaning]));
}

function variables(): Entry[] {
  return VARIABLE_NAMES.map((name) => {
    const { unset, help, bound } = VARIABLES[name];
    const lines = Bun.wrapAnsi(`${help} (${bound})`, HELP_COLUMNS - INDENT.length).split("\n");
    return [`${name}=${unset}`, lines.map((line) => `\n${INDENT}${line}`).join("")];
  });
}

function exitCodes(): Entry[] {
  return columns([
    [String(EXIT_CODE.ok), "done, or stopped on request"],
    [
      String(EXIT_CODE.cannotRun),
      "cannot run, as when a port is in use, or cannot stop in time; in commands: not found",
    ],
    [
      String(EXIT_CODE.badUsage),
      "the environment or the command line is invalid; nothing was tried",
    ],
    [String(EXIT_CODE.cannotConnect), "a command cannot connect, or gets an unusable response"],
    [String(EXIT_CODE.cannotWrite), "cannot write to standard output"],
    [
      String(EXIT_CODE.lostSpans),
      "stopped, but spans to forward or to keep were lost; see the log",
    ],
    [
      ENDED_CODES,
      "a command was ended by Ctrl-C or SIGTERM; one that follows, such as tail, ends with 0",
    ],
    ["", "also at once: a command at a second signal, spanring at a third; 128 plus its number"],
  ]);
}

function examples(): Entry[] {
  return [
    [
      "MAX_BUFFER_SIZE=1000000 MAX_BUFFER_BYTES=512MiB spanring",
      "\n      run with a larger buffer",
    ],
    [
      `curl -X POST 'http://127.0.0.1:${API_PORT}/api/spans/take?limit=100'`,
      "\n      take the hundred oldest spans out of the buffer",
    ],
    [
      'eval "$(spanring --print-env 2> spanring.log &)"',
      "\n      run in the background, for applications of this shell; stop: kill $SPANRING_PID",
    ],
    [
      "spanring --ready-file ready.json",
      "\n      for a test in any language: once the file is there, it has pid, endpoints and env",
    ],
  ];
}

function columns(entries: readonly Entry[]): Entry[] {
  const width = Math.max(...entries.map(([word]) => word.length)) + 2;
  return entries.map(([word, meaning]) => [word, " ".repeat(width - word.length) + meaning]);
}
