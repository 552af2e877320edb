import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { COMMAND, runProgram } from "../support/running/running-program.ts";
import { KEEPING_OUTPUT, shownText } from "../support/running/shown-text.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: a command runs as it would without spanring, and the spans of its real SDK are checked.
// Method: a small Node program that is configured only by its environment.

const CLIENT = join(import.meta.dir, "../support/sdk/emit-by-environment.mjs");
const LARGE = join(import.meta.dir, "../support/sdk/emit-large-span.mjs");
const INTERRUPTED = join(import.meta.dir, "../support/processes/count-interrupts.mjs");
const ENV = { PATH: process.env["PATH"], NO_COLOR: "1" };

async function run(options: string[], clientArgument = "0") {
  return await runProgram(["run", ...options, "--", "node", CLIENT, clientArgument], ENV);
}

test("a run whose expectation is met ends with 0 and keeps the command's output", async () => {
  const { exitCode, stdout, stderr } = await run([
    "--expect",
    "service=shop & name=GET / & count=2",
  ]);

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "exported\n" });
  expect(stderr).toBe("spanring: 1 expectation met\n");
});

test("a run whose expectation is missed ends with 1 and prints the difference", async () => {
  const junit = join(temporaryFolder(), "spans.xml");

  const missed = "service=shop & name=POST / & count>=1";
  const options = ["--expect", missed, "--expect", "count>=3", "--settle", "10ms"];
  const { exitCode, stderr } = await run([...options, "--junit", junit]);

  expect(exitCode).toBe(1);
  expect(stderr).toContain(`✗ expected ${missed}\n  seen: 0 spans\n`);
  expect(stderr).toContain("nearest: GET / (shop), and 1 like it\n");
  expect(stderr).toContain("    expected name=POST /; found GET /\n");
  expect(stderr).toMatch(/→ GET \/ +shop/);
  expect(stderr).toContain("3 spans received, by service: shop 3\n");
  expect(readFileSync(junit, "utf8")).toContain('tests="3" failures="1"');
});

test("on GitHub, a missed expectation is an annotation, and is in the summary", async () => {
  const summary = join(temporaryFolder(), "summary.md");
  const env = { ...ENV, GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary };
  const options = ["--expect", "name=no", "--settle", "1ms"];

  const { stderr } = await runProgram(["run", ...options, "--", "node", CLIENT, "0"], env);

  expect(stderr).toMatch(/^::error title=spanring%3A name=no::seen: 0 spans%0A.*GET \//m);
  expect(readFileSync(summary, "utf8")).toContain("- ❌ ` name=no `\n");
});

test.each([["grpc"], ["http/json"], ["http/protobuf"]])(
  "the command receives the protocol %s in its environment",
  async (protocol) => {
    const script = "echo $OTEL_EXPORTER_OTLP_PROTOCOL";

    const ran = await runProgram(["run", "--protocol", protocol, "--", "sh", "-c", script], ENV);

    expect(ran).toEqual({ exitCode: 0, stdout: `${protocol}\n`, stderr: "" });
  },
);

const POST = "fetch(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/trace', { method: 'POST' })";

test.each([
  {
    name: "too large",
    options: ["--protocol", "grpc"],
    node: [LARGE],
    says: "larger than a limit",
  },
  {
    name: "at a wrong path",
    options: [],
    node: ["-e", POST],
    says: "OTLP/HTTP is POST /v1/traces",
  },
])(
  "a refused request, $name, fails an expectation of no spans",
  async ({ options, node, says }) => {
    const expecting = ["--expect", "name=big & count=0", ...options];

    const ran = await runProgram(["run", ...expecting, "--", "node", ...node], ENV);

    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain("no span arrived, but 1 request was");
    expect(ran.stderr).toContain(says);
  },
);

const METRICS =
  "fetch(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/metrics', { method: 'POST', " +
  "headers: { 'content-type': 'application/json' }, body: '{}' })";

test.each([
  { name: "nothing", script: "", says: "nothing connected to the receiver\n" },
  { name: "only metrics", script: METRICS, says: "only metrics were received\n" },
])("a missed expectation is explained if $name arrived", async ({ script, says }) => {
  const options = ["--expect", "name=n", "--settle", "1ms"];

  const ran = await runProgram(["run", ...options, "--", "node", "-e", script], ENV);

  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain(`spanring: ${says}spanring: `);
});

test("a run that received only a request of unknown keys names them", async () => {
  const body = JSON.stringify({ resource_spans: [{}] });
  const post =
    "fetch(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/traces', { method: 'POST', " +
    `headers: { 'content-type': 'application/json' }, body: '${body}' })`;

  const ran = await runProgram(["run", "--expect", "name=n", "--", "node", "-e", post], ENV);

  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain("no span arrived, but 1 request was accepted without a span");
  expect(ran.stderr).toContain("(unknown keys: resource_spans)");
});

test("the exit code of a failed command is kept even if expectations are met", async () => {
  const { exitCode, stderr } = await run(["--expect", "name=GET /"], "3");

  expect(exitCode).toBe(3);
  expect(stderr).toBe("spanring: 1 expectation met\n");
});

test("a run whose command is killed by a signal ends with the exit code of a shell", async () => {
  const { exitCode, stderr } = await runProgram(["run", "--", "sh", "-c", "kill -KILL $$"], ENV);

  expect(exitCode).toBe(137);
  expect(stderr).toBe("spanring: sh: ended by SIGKILL (exit code 137)\n");
});

test("a signal is passed on, and the command decides the exit code", async () => {
  const argv = [...COMMAND, "run", "--expect", "name=GET /", "--", "node", CLIENT, "wait"];
  const child = Bun.spawn(argv, { env: ENV, stdio: ["ignore", "pipe", "pipe"] });
  const reader = child.stdout.getReader();
  await reader.read();

  child.kill("SIGTERM");

  expect(await child.exited).toBe(7);
  expect(await child.stderr.text()).toBe("spanring: 1 expectation met\n");
});

test("one Ctrl-C on a terminal interrupts the command once", async () => {
  const argv = [...COMMAND, "run", "--", "node", INTERRUPTED];
  const shown = shownText();
  const child = Bun.spawn(["sh", "-c", 'exec "$@" 2>/dev/null', "sh", ...argv], {
    env: ENV,
    terminal: { data: (_, bytes) => shown.add(bytes) },
  });
  await shown.has("ready");

  // The run is stopped, so that a signal it passes on does not merge with that of the terminal.
  child.kill("SIGSTOP");
  child.terminal?.write("\u0003");
  await shown.has("interrupt 1");
  child.kill("SIGCONT");
  // This signal is passed on after a second interrupt, if the run sends one.
  child.kill("SIGHUP");
  await shown.has("hangup");
  child.kill("SIGTERM");

  expect(await child.exited).toBe(1);
});

/** Interrupts a sleeping command from a new terminal. */
async function interruptOnTerminal() {
  const shown = shownText();
  const command = ["run", "--", "sh", "-c", "echo ready; exec sleep 1000"];
  const argv = ["sh", "-c", KEEPING_OUTPUT, "sh", ...COMMAND, ...command];
  const child = Bun.spawn(argv, { env: ENV, terminal: { data: (_, bytes) => shown.add(bytes) } });
  await shown.has("ready");
  // The terminal has one foreground group, which the command has joined.
  child.terminal?.write("\u0003");
  await child.exited;
  return { signalCode: child.signalCode, text: shown.plain() };
}

test("Ctrl-C that ends the command does not end the report, and then ends run", async () => {
  const ends = await Promise.all(Array.from({ length: 8 }, interruptOnTerminal));

  for (const { signalCode, text } of ends) {
    expect(signalCode).toBe("SIGINT");
    expect(text).toEndWith("^C\nspanring: sh: ended by SIGINT (exit code 130)\n");
  }
});

test("on a terminal, run exits with 130 if its command does so without Ctrl-C", async () => {
  const shown = shownText();
  const argv = [...COMMAND, "run", "--", "sh", "-c", "exit 130"];
  const child = Bun.spawn(argv, { env: ENV, terminal: { data: (_, bytes) => shown.add(bytes) } });
  await child.exited;

  expect(child.signalCode).toBeNull();
  expect(child.exitCode).toBe(130);
});

test("at the second interrupt, run says that the command goes on", async () => {
  const shown = shownText();
  const argv = [...COMMAND, "run", "--", "sh", "-c", 'trap "" INT; echo ready; exec sleep 1000'];
  const child = Bun.spawn(argv, { env: ENV, terminal: { data: (_, bytes) => shown.add(bytes) } });
  await shown.has("ready");

  // Not by the terminal, which would discard what it has not shown yet.
  while (!shown.plain().includes("Ctrl-\\ sends SIGQUIT")) {
    child.kill("SIGINT");
    await new Promise((resolve) => setImmediate(resolve));
  }
  child.kill("SIGTERM");

  expect(await child.exited).toBe(143);
});

test("the command receives standard input", async () => {
  const child = Bun.spawn([...COMMAND, "run", "--", "cat"], {
    env: ENV,
    stdio: [Buffer.from("for the command\n"), "pipe", "pipe"],
  });

  expect(await child.stdout.text()).toBe("for the command\n");
  expect(await child.exited).toBe(0);
});
