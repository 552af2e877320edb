import { expect, test } from "bun:test";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { otlpJson } from "../../src/adapters/otlp/json/otlp-json.ts";
import { lineOf, noSpans, SEQUENCE, summaryOf, threeSpans } from "../support/fakes/api-answers.ts";
import { exporterCounts } from "../support/fakes/exporter-counts.ts";
import { lengthDelimited } from "../support/requests/byte-chunks.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { openExportClient } from "../support/running/export-client.ts";
import {
  type Answer,
  endless,
  ndjson,
  problem,
  startFakeServer,
  stopFakeServersAfterEach,
  unusedUrl,
} from "../support/fakes/fake-api.ts";
import { requestOf, serverRequest } from "../support/requests/request-bytes.ts";
import { COMMAND, runProgram, startProgram } from "../support/running/running-program.ts";
import { accept } from "../support/upstreams/sending.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the commands work in the program itself: its exit codes, its pipes, its terminal.
// Method: the program against a server that answers as the read API does, and against itself.

stopFakeServersAfterEach();

const LATE = { detail: "not in time", found: 0, wanted: 1, sequence: SEQUENCE };

test("exit codes distinguish found, not found, wrong usage, and no server", async () => {
  const found = startFakeServer(threeSpans);
  const empty = startFakeServer(noSpans);
  const late = startFakeServer(() => problem(408, LATE));

  const ends = await Promise.all([
    runProgram(["get"], { SPANRING_URL: found.url }),
    runProgram(["get", "--url", empty.url]),
    runProgram(["wait", "--url", late.url]),
    runProgram(["get", "--nmae", "x"]),
    runProgram(["get", "--url", await unusedUrl()]),
  ]);

  expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 1, 1, 2, 3]);
  expect(ends.map(({ stderr }) => stderr.split("\n")[0])).toEqual([
    "",
    "spanring: no span is buffered",
    "spanring: 0 of 1 span arrived in time",
    'spanring: unknown option "--nmae"; did you mean --name?',
    expect.stringMatching(/^spanring: cannot connect to \S+: nothing is listening there$/),
  ]);
});

test("healthcheck finds the program by its own variables, until it stops", async () => {
  await using program = await startProgram();
  const env = { API_PORT: new URL(program.apiUrl).port };

  const ready = await runProgram(["healthcheck"], env);
  await program.stop();
  const stopped = await runProgram(["healthcheck"], env);

  expect(ready).toEqual({ exitCode: 0, stdout: "ready\n", stderr: "" });
  expect(stopped).toMatchObject({ exitCode: 1, stdout: "" });
});

test("against spanring itself: look, save, take", async () => {
  await using program = await startProgram();
  using client = openExportClient(program.grpcPort);
  const path = join(temporaryFolder(), "spans.binpb");
  const env = { SPANRING_URL: program.apiUrl };
  await client.export(requestOf(3));

  const stats = await runProgram(["stats"], env);
  const saved = await runProgram(["get", "--out", path], env);
  const taken = await runProgram(["take", "--json"], env);
  const none = await runProgram(["take", "--json"], env);

  expect(JSON.parse(stats.stdout).spans).toMatchObject({ received: 3, buffered: 3 });
  expect(saved).toMatchObject({ exitCode: 0, stdout: "" });
  expect(readFileSync(path).equals(Buffer.from(lengthDelimited(requestOf(3))))).toBe(true);
  expect(JSON.parse(taken.stdout).resourceSpans).toHaveLength(1);
  expect(none.exitCode).toBe(1);
});

test("what take prints, appended to one file, can be sent back to the last span", async () => {
  await using program = await startProgram();
  using client = openExportClient(program.grpcPort);
  const env = { ...process.env, SPANRING_URL: program.apiUrl };
  const cwd = temporaryFolder();
  const before = requestOf(3);
  await client.export(before);

  const loop = 'while "$@" --limit 1 >> spans.ndjson; do :; done';
  const command = ["sh", "-c", loop, "sh", ...COMMAND, "take"];
  const taking = Bun.spawn(command, { cwd, env, stderr: "ignore" });
  await taking.exited;
  const sent = await runProgram(["send", "--to", program.httpUrl, join(cwd, "spans.ndjson")]);
  const after = await runProgram(["get", "--json", "--order", "oldest"], env);

  expect(sent).toMatchObject({ exitCode: 0, stderr: "" });
  expect(sent.stdout).toStartWith("sent 3 spans in 1 request ");
  expect(after.stdout).toBe(`${otlpJson(before)}\n`);
});

test("a large request that was saved can be sent to a receiver that takes less", async () => {
  await using program = await startProgram();
  await using small = await startProgram({ HTTP_MAX_BODY_LENGTH: "64KiB" });
  const folder = temporaryFolder();
  const [saved, lines] = [join(folder, "saved.jsonl"), join(folder, "line.jsonl")];
  await exportOverHttp(program.httpUrl, serverRequest(2000));
  writeFileSync(lines, `${otlpJson(serverRequest(2000))}\n`);

  await runProgram(["get", "--out", saved, "--url", program.apiUrl]);
  const sent = await runProgram(["send", "--to", small.httpUrl, saved, lines]);
  const stats = await runProgram(["stats", "--json", "--url", small.apiUrl]);

  expect(sent).toMatchObject({ exitCode: 0, stderr: "" });
  expect(JSON.parse(stats.stdout).spans).toMatchObject({ received: 4000, buffered: 4000 });
});

test("a file is sent, from its path and from standard input", async () => {
  const receiver = startFakeServer(accept);
  const path = join(temporaryFolder(), "spans.binpb");
  writeFileSync(path, lengthDelimited(requestOf(3), requestOf(2)));

  const fromPath = await runProgram(["send", "--to", receiver.url, path]);
  const shell = '"$@" - < "$FILE"';
  const command = ["sh", "-c", shell, "sh", ...COMMAND, "send", "--to", receiver.url];
  const fromInput = Bun.spawn(command, { env: { FILE: path }, stdout: "pipe" });

  expect(fromPath).toMatchObject({ exitCode: 0, stderr: "" });
  expect(fromPath.stdout).toStartWith("sent 5 spans in 2 requests ");
  expect(await fromInput.stdout.text()).toStartWith("sent 5 spans in 2 requests ");
  expect(receiver.requests).toHaveLength(4);
});

test("a proxy in the environment is not used for hosts on this machine", async () => {
  const api = startFakeServer(threeSpans);
  const receiver = startFakeServer(accept);
  const proxy = startFakeServer(() => new Response("no", { status: 502 }));
  const path = join(temporaryFolder(), "spans.binpb");
  writeFileSync(path, lengthDelimited(requestOf(3)));
  const env = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, SPANRING_URL: api.url };

  const [found, sent] = await Promise.all([
    runProgram(["get"], env),
    runProgram(["send", "--to", receiver.url, path], env),
  ]);

  expect([found.exitCode, sent.exitCode]).toEqual([0, 0]);
  expect(proxy.requests).toEqual([]);
});

test("a tail ends with 0 at Ctrl-C", async () => {
  const api = startFakeServer(() => endless(lineOf(1)));
  const env = { SPANRING_URL: api.url };
  await using tail = Bun.spawn([...COMMAND, "tail"], { env, stdout: "pipe", stderr: "pipe" });

  const first = await tail.stdout.getReader().read();
  tail.kill("SIGINT");

  expect(Buffer.from(first.value!).toString()).toBe(`${JSON.stringify(lineOf(1))}\n`);
  expect(await tail.exited).toBe(0);
  expect(await tail.stderr.text()).toBe("");
});

test("a tail whose reader leaves ends quietly, with 0", async () => {
  const lines = Array.from({ length: 10_000 }, (_, at) => lineOf(at));
  const api = startFakeServer(() => endless(...lines));
  const env = { ...process.env, SPANRING_URL: api.url };
  // The exit code of the first in a pipe, which POSIX shells do not tell.
  const shell = '{ "$@"; echo "ended with $?" >&2; } | head -1';

  const child = Bun.spawn(["sh", "-c", shell, "sh", ...COMMAND, "tail"], { env, stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);

  expect(stdout).toBe(`${JSON.stringify(lineOf(0))}\n`);
  expect(stderr).toBe("ended with 0\n");
});

const intoFullDisk = (redirection: string) => (argv: readonly string[]) =>
  Bun.spawn(["sh", "-c", `exec "$@" ${redirection}/dev/full`, "sh", ...COMMAND, ...argv], {
    stdout: "pipe",
    stderr: "pipe",
  });

// Goal: whatever prints, a full disk is one sentence, and neither a stack trace nor a success.
test.each(
  [
    "--help",
    "--version",
    "--check",
    "get",
    "get --json",
    "get --help",
    "take",
    "tail",
    "traces",
    "wait",
    "stats",
    "clear",
    "completions bash",
  ].map((line) => ({ line, argv: line.split(" ") })),
)("a full disk is told of by $line", async ({ line, argv }) => {
  const api = startFakeServer(everything);
  const isClient = !line.startsWith("-") && !line.startsWith("completions");
  const where = isClient ? ["--url", api.url] : [];

  const child = intoFullDisk(">")([...argv, ...where]);

  expect(await child.stderr.text()).toMatch(
    /^spanring: cannot write to standard output: no space is left on the device\n$/,
  );
  expect(await child.exited).toBe(4);
});

const traces = [summaryOf("0af7651916cd43dd8448eb211c80319c")];

/** Answers every command with something to print. */
const everything: Answer = (request) => {
  if (request.path.startsWith("/api/tail")) return endless(lineOf(1));
  if (request.path.startsWith("/api/traces")) return Response.json({ traces, sequence: SEQUENCE });
  if (request.method === "DELETE") return Response.json({ removed: 1, sequence: SEQUENCE });
  if (request.path.startsWith("/api/problems")) return Response.json({ problems: [] });
  if (!request.path.startsWith("/api/stats")) return threeSpans(request);
  const capacity = { spans: 1, bytes: 1 };
  const figures = { spans: ledgerOf(), bytes: ledgerOf(), capacity, sequence: SEQUENCE };
  const exporters = exporterCounts();
  return Response.json({ ...figures, exporters, uptime_seconds: 1, version: "1" });
};

test("standard error that takes nothing changes no outcome", async () => {
  const child = intoFullDisk("2>")(["get", "--url", await unusedUrl()]);

  expect(await child.exited).toBe(3);
});

/** What a terminal of so many columns is sent, to the last byte. */
async function terminalText(argv: readonly string[], cols: number, env: Record<string, string>) {
  const chunks: Uint8Array[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const data = (_: Bun.Terminal, chunk: Uint8Array): void => void chunks.push(chunk.slice());
  const terminal = { cols, rows: 50, data, exit: () => end() };
  const child = Bun.spawn([...COMMAND, ...argv], { env, terminal });
  const [exitCode] = await Promise.all([child.exited, ended]);
  return { exitCode, text: Buffer.concat(chunks).toString().replaceAll("\r\n", "\n") };
}

test.each([
  { columns: 80, header: /^TIME +SERVICE +NAME +DURATION +TRACE$/ },
  { columns: 200, header: /^TIME +SERVICE +KIND +NAME +DURATION +TRACE +ATTRIBUTES$/ },
])("a terminal of $columns columns gets a table as wide", async ({ columns, header }) => {
  const api = startFakeServer(() => ndjson(lineOf(1, { name: "n".repeat(300) })));

  const plain = await terminalText(["get", "--url", api.url], columns, { NO_COLOR: "1" });
  const coloured = await terminalText(["get", "--url", api.url], columns, {});

  const lines = plain.text.trimEnd().split("\n");
  expect([plain.exitCode, coloured.exitCode]).toEqual([0, 0]);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(header);
  expect(lines.filter((line) => Bun.stringWidth(line) > columns)).toEqual([]);
  expect(Bun.stripANSI(coloured.text)).toBe(plain.text);
  expect(coloured.text).toContain("\u001b[1mTIME");
});

test("commands read and send through Unix sockets", async () => {
  const folder = temporaryFolder();
  const [grpc, http, api] = ["grpc", "http", "api"].map((name) => join(folder, name));
  const hosts = { OTLP_GRPC_HOST: `unix:${grpc}`, OTLP_HTTP_HOST: `unix:${http}` };
  await using program = await startProgram({ ...hosts, API_HOST: `unix:${api}` });
  const file = join(folder, "spans.binpb");
  writeFileSync(file, requestOf(2));

  const sent = await runProgram(["send", "--to", `unix:${http}`, file]);
  const got = await runProgram(["get", "--url", `unix:${api}`]);
  const stats = await runProgram(["stats", "--json"], { SPANRING_URL: `unix:${api}` });
  const nowhere = await runProgram(["stats", "--url", `unix:${folder}/missing`]);

  expect([sent.exitCode, got.exitCode, await program.stop()]).toEqual([0, 0, 0]);
  expect(JSON.parse(stats.stdout)).toMatchObject({ spans: { received: 2 } });
  expect(nowhere.exitCode).toBe(3);
  expect(nowhere.stderr).toContain(`cannot connect to unix:${folder}/missing: no socket is there`);
});
