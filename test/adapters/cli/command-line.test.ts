import { EventEmitter } from "node:events";
import { noteInterrupts } from "../../../src/adapters/cli/output/foreground.ts";
import { expect, test } from "bun:test";
import { type CheckedStart, runCommandLine } from "../../../src/adapters/cli/command-line.ts";
import type { Config, ConfigWarning, Environment } from "../../../src/config/config.ts";
import { writtenText } from "../../support/fakes/written-text.ts";

interface Served {
  readonly config: Config;
  readonly warnings: readonly ConfigWarning[];
}

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly served: readonly Served[];
}

interface Surroundings {
  readonly env?: Environment;
  readonly isTerminal?: boolean;
  readonly serveExitCode?: number;
  readonly checked?: CheckedStart;
}

const RIGHT: CheckedStart = { mistakes: [], warnings: [] };
const stopped = () => new Promise<void>(() => {});
const startReceiver = () => Promise.reject(new Error("nothing here receives"));
const inspectDirectory = () => Promise.reject(new Error("nothing here inspects"));
const openTopic = () => Promise.reject(new Error("nothing here reads a topic"));
const openSink = () => Promise.reject(new Error("nothing here sends"));

async function run(argv: readonly string[], surroundings: Surroundings = {}): Promise<Run> {
  const { env = {}, isTerminal = false, serveExitCode = 0, checked = RIGHT } = surroundings;
  const [stdout, stderr] = [writtenText(isTerminal), writtenText(isTerminal)];
  const served: Served[] = [];
  const serve = (config: Config, warnings: readonly ConfigWarning[]): Promise<number> => {
    served.push({ config, warnings });
    return Promise.resolve(serveExitCode);
  };
  const signals = noteInterrupts(new EventEmitter());
  const outside = { serve, startReceiver, inspectDirectory, openSink, openTopic, stopped, signals };
  const parts = { argv, env, version: "1.2.3", stdout, stderr, ...outside };
  const exitCode = await runCommandLine({ ...parts, checkStart: async () => checked });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), served };
}

const COLOUR = "\u001b[";

test.each(["--version", "-V"])("%s prints the version and nothing else", async (option) => {
  const done = await run([option]);

  expect(done).toEqual({ exitCode: 0, stdout: "spanring 1.2.3\n", stderr: "", served: [] });
});

test.each(["--help", "-h"])("%s prints the help on standard output", async (option) => {
  const done = await run([option]);

  expect(done).toMatchObject({ exitCode: 0, stderr: "", served: [] });
  expect(done.stdout).toStartWith("spanring 1.2.3 - ");
});

test.each([
  { name: "a terminal gets colours", env: {}, isTerminal: true, isColoured: true },
  { name: "a pipe gets none", env: {}, isTerminal: false, isColoured: false },
  {
    name: "NO_COLOR disables colours",
    env: { NO_COLOR: "1" },
    isTerminal: true,
    isColoured: false,
  },
  {
    name: "TERM=dumb disables colours",
    env: { TERM: "dumb" },
    isTerminal: true,
    isColoured: false,
  },
  {
    name: "an empty NO_COLOR is ignored",
    env: { NO_COLOR: "" },
    isTerminal: true,
    isColoured: true,
  },
])("help: $name", async ({ env, isTerminal, isColoured }) => {
  const { stdout } = await run(["--help"], { env, isTerminal });

  expect(stdout.includes(COLOUR)).toBe(isColoured);
});

test("--check prints each resolved variable on its own line", async () => {
  const done = await run(["--check"], { env: { MAX_BUFFER_BYTES: "32MiB", API_PORT: "off" } });

  const lines = done.stdout.trimEnd().split("\n");
  expect(done).toMatchObject({ exitCode: 0, stderr: "", served: [] });
  expect(lines).toHaveLength(73);
  expect(lines.slice(0, 3)).toEqual([
    "OTLP_GRPC_HOST=0.0.0.0",
    "OTLP_GRPC_PORT=4317",
    "OTLP_GRPC_TLS_CERT_FILE=",
  ]);
  expect(lines).toContain("API_PORT=off");
  expect(lines).toContain("MAX_BUFFER_BYTES=33554432");
});

test("the output of --check is a valid configuration that prints the same output", async () => {
  const first = await run(["--check"], { env: { OVERFLOW_POLICY: "refuse" } });
  const env = Object.fromEntries(first.stdout.trimEnd().split("\n").map(asPair));

  const second = await run(["--check"], { env });

  expect(second).toEqual(first);
});

test("--check warns of typos on standard error and succeeds", async () => {
  const done = await run(["--check"], { env: { MAX_BUFER_SIZE: "5" } });

  expect(done.exitCode).toBe(0);
  expect(done.stderr).toBe(
    "spanring: warning: MAX_BUFER_SIZE: unknown: did you mean MAX_BUFFER_SIZE?\n",
  );
});

test("--check lists warnings and then mistakes of a start on this machine, and fails", async () => {
  const checked = {
    mistakes: [{ variable: "API_HOST", value: "nope", bound: "a name that resolves" }],
    warnings: [{ variable: "FORWARD_ENDPOINT", message: "up does not resolve" }],
  };

  const done = await run(["--check"], { env: { MAX_BUFER_SIZE: "5" }, checked });

  expect(done).toMatchObject({ exitCode: 2, stdout: "" });
  expect(done.stderr)
    .toBe(`spanring: warning: MAX_BUFER_SIZE: unknown: did you mean MAX_BUFFER_SIZE?
spanring: warning: FORWARD_ENDPOINT: up does not resolve
spanring: 1 mistake in the environment
  API_HOST="nope": must be a name that resolves
See spanring help environment.
`);
});

test("--check lists mistakes of format and of this machine at once", async () => {
  const mistakes = [
    { variable: "API_HOST", value: "nope", bound: "a name that resolves" },
    { variable: "LOG_LEVEL", value: "INFO", bound: "not listed, because it has a mistake" },
  ];
  const api = { API_HOST: "nope", API_INSECURE: "true" };
  const env = { LOG_LEVEL: "LOUD", OTLP_HTTP_PORT: "4317", ...api };

  const done = await run(["--check"], { env, checked: { mistakes, warnings: [] } });

  expect(done).toMatchObject({ exitCode: 2, stdout: "" });
  expect(done.stderr).toBe(`spanring: 3 mistakes in the environment
  LOG_LEVEL="LOUD": must be one of DEBUG, INFO, WARNING, ERROR
  OTLP_HTTP_PORT="4317": must be a port other than OTLP_GRPC_PORT
  API_HOST="nope": must be a name that resolves
See spanring help environment.
`);
});

test("--check succeeds and prints the configuration if it finds only warnings", async () => {
  const warnings = [{ variable: "FORWARD_ENDPOINT", message: "up does not resolve" }];

  const done = await run(["--check"], { checked: { mistakes: [], warnings } });

  expect(done.exitCode).toBe(0);
  expect(done.stderr).toBe("spanring: warning: FORWARD_ENDPOINT: up does not resolve\n");
  expect(done.stdout).toStartWith("OTLP_GRPC_HOST=0.0.0.0\n");
});

test.each([[["--check"]], [[]]])(
  "arguments %p: all mistakes in the environment are listed and nothing is started",
  async (argv) => {
    const done = await run(argv, { env: { MAX_BUFFER_SIZE: "none", LOG_LEVEL: "\u001b[2J" } });

    expect(done).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `spanring: 2 mistakes in the environment
  MAX_BUFFER_SIZE="none": must be a whole number of spans from 1 to 13000000
  LOG_LEVEL="\\x1b[2J": must be one of DEBUG, INFO, WARNING, ERROR
See spanring help environment.
`,
      served: [],
    });
  },
);

test("a single mistake is reported in the singular", async () => {
  const { stderr } = await run([], { env: { LOG_LEVEL: "LOUD" } });

  expect(stderr).toStartWith("spanring: 1 mistake in the environment\n");
});

test("without arguments, the receiver gets the configuration and its warnings", async () => {
  const env = { API_PORT: "0", MAX_BUFER_SIZE: "5" };

  const done = await run([], { env, serveExitCode: 1 });

  expect(done).toMatchObject({ exitCode: 1, stdout: "", stderr: "" });
  expect(done.served).toHaveLength(1);
  expect(done.served[0]?.config.api).toEqual({ host: "127.0.0.1", port: 0 });
  expect(done.served[0]?.warnings).toMatchObject([{ variable: "MAX_BUFER_SIZE" }]);
});

test.each([
  { argv: ["--halp"], refusal: 'unknown option "--halp"; did you mean --help?' },
  { argv: ["serve"], refusal: 'unknown command "serve"' },
  { argv: ["tial"], refusal: 'unknown command "tial"; did you mean tail?' },
  { argv: ["hlep"], refusal: 'unknown command "hlep"; did you mean help?' },
  { argv: ["--help", "--nonsense"], refusal: 'unknown option "--nonsense"' },
  { argv: ["-"], refusal: 'unknown command "-"' },
  { argv: [""], refusal: 'unknown command ""' },
  { argv: ["--check=yes"], refusal: "--check takes no value" },
  {
    argv: ["--url", "http://x", "get"],
    refusal: "--url follows a command: spanring COMMAND --url",
  },
  { argv: ["toString"], refusal: 'unknown command "toString"' },
  { argv: ["\u001b]0;title\u0007"], refusal: String.raw`unknown command "\x1b]0;title\x07"` },
])("$argv is refused: $refusal", async ({ argv, refusal }) => {
  const done = await run(argv);

  expect(done).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: `spanring: ${refusal}\nSee spanring --help.\n`,
    served: [],
  });
});

test("help and version are words as well as options", async () => {
  const help = await run(["help"]);
  const version = await run(["version"]);
  const ofTail = await run(["help", "tail"]);
  const environment = await run(["help", "environment"]);

  expect(help).toEqual(await run(["--help"]));
  expect(version).toEqual(await run(["--version"]));
  expect(ofTail).toEqual(await run(["tail", "--help"]));
  expect(environment).toMatchObject({ exitCode: 0, stderr: "" });
  expect(environment.stdout).toStartWith("Environment\n  OTLP_GRPC_HOST=0.0.0.0\n");
});

test.each([
  { argv: ["help", "tial"], refusal: 'no help on "tial"; did you mean tail?' },
  { argv: ["help", "enviroment"], refusal: 'no help on "enviroment"; did you mean environment?' },
  { argv: ["help", "tail", "get"], refusal: 'no help on "tail get"' },
  { argv: ["help", "\u001b[2J"], refusal: String.raw`no help on "\x1b[2J"` },
])("$argv is refused: $refusal", async ({ argv, refusal }) => {
  const done = await run(argv);

  const stderr = `spanring: ${refusal}\nSee spanring help.\n`;
  expect(done).toEqual({ exitCode: 2, stdout: "", stderr, served: [] });
});

test("--help takes precedence over --version, and --version over --check", async () => {
  const help = await run(["--check", "--version", "--help"]);
  const version = await run(["--check", "--version"]);

  expect(help.stdout).toStartWith("spanring 1.2.3 - ");
  expect(version.stdout).toBe("spanring 1.2.3\n");
});

function asPair(line: string): [string, string] {
  const [name = "", value = ""] = line.split("=");
  return [name, value];
}
