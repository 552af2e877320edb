import { VARIABLE_NAMES, VARIABLES } from "../../../config/variables.ts";
import { COMMAND_NAMES, COMMANDS, SERVE_OPTIONS, type CommandName } from "./command-table.ts";
import type { CommandSpec } from "./command-spec.ts";
import { EXIT_CODE } from "../output/exit-code.ts";
import { OPTIONS, type OptionName, optionUsage } from "./option-table.ts";
import type { Palette } from "../output/palette.ts";

const GRPC_PORT = VARIABLES.OTLP_GRPC_PORT.unset;
const HTTP_PORT = VARIABLES.OTLP_HTTP_PORT.unset;
const API_PORT = VARIABLES.API_PORT.unset;

const HELP_COLUMNS = 100;
const INDENT = " ".repeat(6);

/** Returns the output of `--help`. Variables, defaults and bounds come from `config/`. */
export function helpText(version: string, palette: Palette): string {
  const sections = [
    introduction(version, palette),
    section("Usage", usageEntries(), palette),
    section("Commands", commands(), palette),
    section("Ports", ports(), palette),
    section("Environment", variables(), palette),
    section("Exit codes", exitCodes(), palette),
    section("Examples", examples(), palette),
  ];
  return `${sections.join("\n\n")}\n`;
}

function introduction(version: string, { heading }: Palette): string {
  return `${heading(`spanring ${version}`)} - a bounded buffer for OpenTelemetry traces

Point any OTLP exporter at it: it keeps the newest spans in a fixed amount of memory, returns them
byte for byte, and accounts for every span it received.`;
}

/** A word, and its meaning beside or below it. */
type Entry = readonly [word: string, meaning: string];

function section(title: string, entries: readonly Entry[], { heading, word }: Palette): string {
  const lines = entries.map(([name, meaning]) => `  ${word(name)}${meaning}`);
  return [heading(title), ...lines].join("\n");
}

function usageEntries(): Entry[] {
  return columns([
    ["spanring", "receive spans until SIGTERM, SIGINT or a closed terminal; a second"],
    ["", "signal ends the grace period, a third exits immediately; SIGQUIT skips"],
    ["", "the grace period; SIGHUP without a terminal reloads tokens, headers, TLS"],
    ...SERVE_OPTIONS.map((name): Entry => [serveUsage(name), OPTIONS[name].meaning]),
    ["spanring COMMAND --help", "describe a command and its options"],
  ]);
}

function serveUsage(name: OptionName): string {
  const { short } = OPTIONS[name];
  return `spanring --${name}${short === undefined ? "" : `, -${short}`}`;
}

/** Lists the commands with `SPANRING_URL`, which the serving program does not read. */
function commands(): Entry[] {
  const words = COMMAND_NAMES.map((name): Entry => [
    `spanring ${name} ${COMMANDS[name].operands}`.trimEnd(),
    COMMANDS[name].summary,
  ]);
  return columns([
    ...words,
    ["", `Commands connect to http://127.0.0.1:${API_PORT}; --url or`],
    ["", "SPANRING_URL overrides it."],
    ["", "--token-file or SPANRING_TOKEN sets the token to send."],
    ["", "A proxy from HTTP_PROXY is used for other machines only."],
    ["", "NO_COLOR or TERM=dumb disables colours."],
  ]);
}

function ports(): Entry[] {
  return columns([
    [GRPC_PORT, "OTLP/gRPC, gRPC health and reflection"],
    [HTTP_PORT, "OTLP/HTTP: POST /v1/traces as protobuf or JSON"],
    [API_PORT, "the read API, described by GET /api/openapi.json:"],
    ["", "GET, DELETE /api/spans, POST /api/spans/take, GET /api/traces,"],
    ["", "/api/traces/{trace_id}, /api/services, /api/operations, /api/service-graph, /api/wait,"],
    ["", "/api/tail, /api/stats, /api/problems, /healthz, /readyz, /metrics"],
  ]);
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
      "cannot run, for example because a port is in use; in commands: not found",
    ],
    [
      String(EXIT_CODE.badUsage),
      "the environment or the command line is invalid; nothing was tried",
    ],
    [String(EXIT_CODE.cannotConnect), "a command cannot connect, or gets an unusable response"],
    [String(EXIT_CODE.cannotWrite), "cannot write to standard output"],
    [
      String(EXIT_CODE.lostSpans),
      "stopped, but spans to forward or to spill were lost; see the log",
    ],
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
  ];
}

function columns(entries: readonly Entry[]): Entry[] {
  const width = Math.max(...entries.map(([word]) => word.length)) + 2;
  return entries.map(([word, meaning]) => [word, " ".repeat(width - word.length) + meaning]);
}

const TEXT_COLUMNS = 80;

/** Returns the output of `spanring COMMAND --help`. */
export function commandHelp(command: CommandName, palette: Palette): string {
  const spec = COMMANDS[command];
  const usage = `spanring ${command} [OPTIONS] ${spec.operands}`.trimEnd();
  const exits = commandExitCodes(command).map(
    ([code, meaning]) => `  ${palette.word(code)}  ${meaning}`,
  );
  const sections = [
    `${palette.heading(usage)}\n  ${spec.summary}`,
    spec.details.map((paragraph) => Bun.wrapAnsi(paragraph, TEXT_COLUMNS)).join("\n"),
    [palette.heading("Options"), ...optionLines(spec.options, palette)].join("\n"),
    [palette.heading("Exit codes"), ...exits].join("\n"),
    ...(spec.examples.length === 0 ? [] : [commandExamples(spec, palette)]),
  ];
  return `${sections.join("\n\n")}\n`;
}

function optionLines(options: readonly OptionName[], { word }: Palette): string[] {
  const usages = options.map(usageWithShort);
  const width = Math.max(...usages.map((usage) => usage.length)) + 2;
  return options.map((name, index) => {
    const usage = usages[index]!;
    const meaning = wrapped(OPTIONS[name].meaning, width + 2);
    return `  ${word(usage)}${" ".repeat(width - usage.length)}${meaning}`;
  });
}

/** Wraps a text that begins after so many columns; its other lines begin below the first. */
function wrapped(text: string, columnsBefore: number): string {
  const lines = Bun.wrapAnsi(text, HELP_COLUMNS - columnsBefore).split("\n");
  return lines.join(`\n${" ".repeat(columnsBefore)}`);
}

function usageWithShort(name: OptionName): string {
  const { short } = OPTIONS[name];
  return short === undefined ? optionUsage(name) : `${optionUsage(name)}, -${short}`;
}

function commandExitCodes(command: CommandName): (readonly [code: string, meaning: string])[] {
  const { found, notFound, isLocal = false, isSilent = false, otherExits = [] } = COMMANDS[command];
  return [
    [String(EXIT_CODE.ok), found],
    ...(notFound === undefined ? [] : [[String(EXIT_CODE.notFound), notFound] as [string, string]]),
    [String(EXIT_CODE.badUsage), "the command line is invalid; nothing was tried"],
    ...(isLocal ? [] : [[String(EXIT_CODE.cannotConnect), NO_ANSWER] as [string, string]]),
    ...(isSilent ? [] : [[String(EXIT_CODE.cannotWrite), NO_ROOM] as [string, string]]),
    ...otherExits,
  ];
}

const NO_ANSWER = "cannot connect, or unusable response";
const NO_ROOM = "cannot write to standard output, for example because a disk is full";

function commandExamples({ examples: lines }: CommandSpec, { heading }: Palette): string {
  return [heading("Examples"), ...lines.map((line) => `  ${line}`)].join("\n");
}
