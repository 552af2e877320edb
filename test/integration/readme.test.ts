import packageJson from "../../package.json" with { type: "json" };
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type CommandName, COMMANDS } from "../../src/adapters/cli/usage/command-table.ts";
import { IDLE_TIMEOUT_SECONDS } from "../../src/adapters/read-api/http1/connection.ts";
import { ANSWER_BUDGET_BYTES } from "../../src/adapters/read-api/read-api.ts";
import { ROUTES } from "../../src/adapters/read-api/routes.ts";
import { MAX_TAILS } from "../../src/adapters/read-api/tail-answer.ts";
import { MAX_WAITS } from "../../src/adapters/read-api/parameter.ts";
import { MAX_IDLE_SECONDS } from "../../src/adapters/otlp-http/otlp-http-listener.ts";
import { createRingMemory } from "../../src/application/ring/ring-memory.ts";
import {
  type Config,
  type Environment,
  type LogConfig,
  readConfig,
} from "../../src/config/config.ts";
import { VARIABLE_NAMES } from "../../src/config/variables.ts";
import { keep, ring } from "../support/running/embed-example.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import {
  type Family,
  parsePrometheusText,
  type Sample,
} from "../support/oracles/prometheus-text.ts";
import { serverRequest } from "../support/requests/request-bytes.ts";
import { plainSpan } from "../support/requests/plain-span.ts";
import { COMMAND, type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the README is correct. Method: the word after the language of a fence names a block
// ("```sh session"); blocks are run, and tables and commands are compared with the code.

const ROOT = join(import.meta.dir, "../..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const MAP = readFileSync(join(ROOT, "src/README.md"), "utf8");

const NODE = "node --input-type=module";

/** Returns the lines in the block with this mark. */
function block(mark: string, page = README): string {
  const [, found] = page.split(`\n\`\`\`${mark}\n`);
  expect(found).toBeString();
  return found!.slice(0, found!.indexOf("```"));
}

const commands = [...README.matchAll(/\bbun run ([\w-]+)/g)].map(([, name]) => name!);

/** The session also runs on a machine without curl. */
const machines = [
  { machine: "curl", node: NODE, curl: Bun.which("curl") ?? standInForCurl() },
  { machine: "a stand-in for curl", node: NODE, curl: standInForCurl() },
];

test.each(machines)("the session works as the README says, with $machine", async (machine) => {
  await using program = await startProgram();

  const { exitCode, stdout, stderr } = await runSession(program, machine);

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const parts = stdout.split(/(?<=\})\s*(?=\{"(?:resourceSpans|spans)":)/);
  const [sent, looked, taken, stats] = parts;
  expect(sent).toBe("{}");
  expect(looked).toContain('"name":"GET /orders"');
  expect(taken).toBe(looked!);
  expect(README).toContain(/"spans":\{[^}]*\}/.exec(stats!)![0]);
});

function standInForCurl(): string {
  const path = join(temporaryFolder(), "curl");
  const program = join(ROOT, "test/support/running/stand-in-curl.ts");
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

type Tools = Pick<(typeof machines)[number], "node" | "curl">;

/** Runs the session in a folder with the same packages, and with the program's ports. */
async function runSession(program: RunningProgram, { node, curl }: (typeof machines)[number]) {
  const session = block("sh session")
    .replaceAll("http://127.0.0.1:4318", program.httpUrl)
    .replaceAll("http://127.0.0.1:4319", program.apiUrl);
  return await runScript(session, { node, curl });
}

async function runScript(text: string, { node, curl }: Tools) {
  const cwd = temporaryFolder();
  symlinkSync(join(ROOT, "node_modules"), join(cwd, "node_modules"));
  const session = text.replace(NODE, node);
  const PATH = [dirname(curl), dirname(process.execPath), process.env["PATH"]].join(delimiter);
  const child = Bun.spawn(["sh", "-euc", session], { cwd, env: { PATH }, stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

test("the example of embedding is the type-checked file, and works as described", () => {
  const example = readFileSync(join(ROOT, "test/support/running/embed-example.ts"), "utf8");

  const handedOver = Array.from({ length: 100 }, () => keep(ring, plainSpan()).length);

  expect(block("ts embed", MAP)).toBe(example.replaceAll("../../../src/", "./"));
  expect(handedOver).toEqual([...Array<number>(99).fill(0), 100]);
  expect(() => keep(ring, { ...plainSpan(), traceId: "" })).toThrow("not valid");
});

test("the example of a test is a test that runs", () => {
  const example = join(import.meta.dir, "testing-example.test.ts");

  expect(block("ts testing")).toBe(readFileSync(example, "utf8"));
});

test("the example of a test runs in another project with spanring as a package", async () => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, "node_modules"));
  symlinkSync(ROOT, join(cwd, "node_modules", "spanring"));
  symlinkSync(
    join(ROOT, "node_modules", "@opentelemetry"),
    join(cwd, "node_modules", "@opentelemetry"),
  );
  writeFileSync(join(cwd, "order.test.ts"), block("ts testing"));

  const child = Bun.spawn([process.execPath, "test"], { cwd, stdout: "ignore", stderr: "pipe" });

  expect(await child.stderr.text()).toContain(" 1 pass");
  expect(await child.exited).toBe(0);
});

test("the expectation in the README is met", async () => {
  const script = block("sh expect").replace("dist/spanring", COMMAND.join(" "));

  const { exitCode, stderr } = await runScript(script, { node: NODE, curl: process.execPath });

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "spanring: 1 expectation met\n" });
});

test("the commands in the README exist and have these options", () => {
  const lines = block("sh emits").matchAll(/dist\/spanring ([a-z]+)([^#&\n]*)/g);

  for (const [, name = "", rest = ""] of lines) {
    expect(COMMANDS).toHaveProperty(name);
    const options = [...rest.matchAll(/--([a-z-]+)/g)].map(([, option]) => option!);
    expect(COMMANDS[name as CommandName].options).toEqual(expect.arrayContaining(options));
  }
});

test("the table of the README lists every path of the read API", () => {
  const [, table = ""] = README.split("\n| read API ");

  for (const { path } of ROUTES) expect(table).toContain(path);
});

test("every variable that the README names exists", () => {
  const named = README.matchAll(/`([A-Z]+(?:_[A-Z]+)+)\b/g);

  for (const [, name = ""] of named) expect([...VARIABLE_NAMES, ...OF_GRPC]).toContain(name);
});

/** Words in the form of variables that are not variables. */
const OF_GRPC = ["INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"];

test("the README has the memory bounds of readers from the code", () => {
  const [, memory = ""] = README.split("- Memory is bounded:");
  const text = memory.split("\n- ")[0]!.replaceAll(/\s+/g, " ");

  expect(text).toContain(`${ANSWER_BUDGET_BYTES / 2 ** 20} MiB`);
  expect(text).toContain(`${MAX_WAITS.toLocaleString("en")} waits and ${MAX_TAILS} tails`);
  expect(text).toContain(`${MAX_IDLE_SECONDS} s at most`);
  expect(text).toContain(`${IDLE_TIMEOUT_SECONDS} s`);
});

test("the README names exactly the scripts of the package", () => {
  const named = [...commands, "start", "test"];

  expect(new Set(named)).toEqual(new Set(Object.keys(packageJson.scripts)));
});

test("the README shows running code in its first 15 lines and has fewer than 150", () => {
  const lines = README.trimEnd().split("\n");

  const running = lines.findIndex((line) => line.startsWith("./scripts/start"));
  expect(running).toBeWithin(0, 15);
  expect(lines.length).toBeLessThan(150);
});

test("the edge host of the README has the disk for the outage of the example", () => {
  const [assignments] = block("sh edge").split("dist/spanring");
  const env = Object.fromEntries(
    assignments!
      .trim()
      .split(/[\s\\]+/)
      .map((each) => each.split("=")),
  );
  const reading = readConfig(env as Environment);
  const [, section = ""] = README.split("\n## Forward from an edge host\n");
  const text = section.replaceAll(/\s+/g, " ");

  const [bytes = 0, rate = 0, outage = 0, needed = 0, megabytes = 0, ...rest] = [
    ...text.matchAll(/(?<=[ (])[\d,]+(?= (bytes|spans|s |MB))/g),
  ].map(([number]) => Number(number.replaceAll(",", "")));

  expect(reading).toMatchObject({ ok: true, warnings: [] });
  const { config } = reading as { config: Config };
  const [withHeadroom = 0, row = 0] = rest;
  expect([needed, megabytes]).toEqual([rate * outage, (needed * bytes) / 1e6]);
  expect(withHeadroom).toBe(megabytes * 1.25);
  expect(config.log).toMatchObject({ directory: "data", durability: "disk" });
  const { maxDiskBytes } = config.log as LogConfig;
  expect(maxDiskBytes).toBeWithin(withHeadroom * 1e6, withHeadroom * 1e6 + 2 ** 20);
  expect(row).toBe(Math.round((ringBytes(2_000_000) - ringBytes(1_000_000)) / 1_000_000));
});

test("the metrics contain the bytes of a span as described, even if none is buffered", async () => {
  await using program = await startProgram();
  const [, section = ""] = README.split("\n## Forward from an edge host\n");
  const named = [...section.matchAll(/`(spanring_\w+)\{(\w+)="(\w+)"\}`/g)];
  const request = serverRequest(100);
  await exportOverHttp(program.httpUrl, request);
  await fetch(`${program.apiUrl}/api/spans/take`, { method: "POST" });

  const page = parsePrometheusText(await (await fetch(`${program.apiUrl}/metrics`)).text());
  const [bytes = NaN, spans = NaN] = named.map(([, name = "", label = "", value]) =>
    sumOf(page, name, (labels) => labels[label] === value),
  );

  expect(sumOf(page, "spanring_buffered_spans", () => true)).toBe(0);
  expect(bytes / spans).toBe(request.length / 100);
});

function sumOf(
  page: readonly Family[],
  wanted: string,
  isWanted: (labels: Sample["labels"]) => boolean,
): number {
  const samples = page.find(({ name }) => name === wanted)!.samples;
  return samples
    .filter(({ labels }) => isWanted(labels))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Returns the memory of a ring besides its arena; pages that were never written cost nothing. */
function ringBytes(spans: number): number {
  return createRingMemory({ spans, bytes: 1 }).shared.byteLength;
}
