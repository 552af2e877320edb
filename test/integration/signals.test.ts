import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { dataDirectory } from "../support/running/data-directory.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startHttpUpstream } from "../support/upstreams/http-upstream.ts";
import { startOnTerminal } from "../support/processes/program-on-terminal.ts";
import { COMMAND, type LogLine, startProgram } from "../support/running/running-program.ts";
import { KEEPING_OUTPUT, shownText } from "../support/running/shown-text.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: no signal that can be caught loses a span.
// Method: a program with spans in its ring and a data directory receives each of them.

const root = temporaryFolder();

/** Returns variables with which a stop keeps the spans, and the bytes of all files kept. */
function keeping() {
  const { path, segments } = dataDirectory(root);
  const kept = (): string =>
    segments()
      .map((each) => readFileSync(each).toHex())
      .join("");
  return { env: { DATA_DIR: path, DURABILITY: "stop" }, kept };
}

const HARMLESS_NAMES = new Set([
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGPIPE",
  "SIGXFSZ",
  "SIGPWR",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGURG",
  "SIGWINCH",
  "SIGCONT",
]);

/** The runtime has names for some of these signals only. */
const HARMLESS: readonly (readonly [name: string, number: number])[] = [
  ...Object.entries(constants.signals).filter(([name]) => HARMLESS_NAMES.has(name)),
  ...Array.from({ length: 31 }, (_, at) => [`SIGRTMIN+${at}`, 34 + at] as const),
];

test.each(HARMLESS)("%s changes nothing, and a stop keeps every span", async (_, signal) => {
  const { env, kept } = keeping();
  await using program = await startProgram(env);
  await exportOverHttp(program.httpUrl, requestOf(3));

  process.kill(program.pid, signal);
  const answer = await fetch(`${program.apiUrl}/healthz`);
  const exitCode = await program.stop();

  expect([answer.status, exitCode]).toEqual([200, 0]);
  expect(kept()).toContain(requestOf(3).toHex());
  expect(eventsOf(program.log())).toEqual(["ready", "stopping", "kept", "stopped"]);
});

test.each([
  { signal: "SIGTERM", graceMs: 60_000 },
  { signal: "SIGINT", graceMs: 60_000 },
  { signal: "SIGXCPU", graceMs: 60_000 },
  { signal: "SIGQUIT", graceMs: 0 },
  { signal: "SIGABRT", graceMs: 0 },
] as const)("$signal stops with a grace of $graceMs ms", async ({ signal, graceMs }) => {
  const { env, kept } = keeping();
  await using program = await startProgram({ ...env, SHUTDOWN_GRACE_MS: "60000" });
  await exportOverHttp(program.httpUrl, requestOf(3));

  process.kill(program.pid, signal);
  const exitCode = await program.exited;

  expect(exitCode).toBe(0);
  expect(kept()).toContain(requestOf(3).toHex());
  expect(eventsOf(program.log())).toEqual(["ready", "stopping", "kept", "stopped"]);
  expect(program.log().at(-3)).toMatchObject({ signal, grace_ms: graceMs });
});

// The second script keeps a shell, as in a window, so that the system sends SIGHUP more than once.
test.each([
  { name: "an SSH session for one command", script: 'exec "$@" 2>"$LOG"' },
  { name: "a shell in a window", script: '"$@" 2>"$LOG"; exit 0' },
])("closing the terminal keeps every span: $name", async ({ script }) => {
  const { env, kept } = keeping();
  await using program = await startOnTerminal(script, env);
  await exportOverHttp(program.httpUrl, requestOf(3));

  program.hangUp();
  const log = await program.wholeLog;

  expect(eventsOf(log)).toEqual(["ready", "stopping", "kept", "stopped"]);
  expect(log.at(-3)).toMatchObject({ signal: "SIGHUP" });
  expect(kept()).toContain(requestOf(3).toHex());
});

test("with nohup, closing the terminal does not stop the program", async () => {
  const { env, kept } = keeping();
  const script = 'exec nohup "$@" </dev/null >/dev/null 2>"$LOG"';
  await using program = await startOnTerminal(script, env);

  program.hangUp();
  process.kill(program.pid, "SIGHUP");
  await exportOverHttp(program.httpUrl, requestOf(3));
  process.kill(program.pid, "SIGTERM");
  const log = await program.wholeLog;

  expect(log.at(-3)).toMatchObject({ event: "stopping", signal: "SIGTERM" });
  expect(kept()).toContain(requestOf(3).toHex());
});

test("without a terminal, SIGHUP reloads files without a stop", async () => {
  const headers = join(mkdtempSync(join(root, "reload-")), "headers");
  writeFileSync(headers, "authorization=one");
  const upstream = startHttpUpstream(() => new Response());
  const env = {
    FORWARD_ENDPOINT: `http://127.0.0.1:${upstream.port}`,
    FORWARD_HEADERS_FILE: headers,
  };
  await using program = await startProgram(env, { detached: true });

  writeFileSync(headers, "authorization=two");
  process.kill(program.pid, "SIGHUP");
  await program.logged("reloaded");
  await exportOverHttp(program.httpUrl, requestOf(3));
  await upstream.arrivals.reached(1);
  const exitCode = await program.stop();
  await upstream.stop();

  expect(exitCode).toBe(0);
  expect(upstream.requests.map((request) => request.headers.get("authorization"))).toEqual(["two"]);
  expect(program.log().find(({ event }) => event === "forward_reloaded")).toMatchObject({
    files: ["FORWARD_HEADERS_FILE"],
  });
});

test("files with a mistake are not reloaded, and the old ones stay in use", async () => {
  const headers = join(mkdtempSync(join(root, "reload-")), "headers");
  writeFileSync(headers, "authorization=one");
  const upstream = startHttpUpstream(() => new Response());
  const env = {
    FORWARD_ENDPOINT: `http://127.0.0.1:${upstream.port}`,
    FORWARD_HEADERS_FILE: headers,
  };
  await using program = await startProgram(env, { detached: true });

  writeFileSync(headers, "no header");
  process.kill(program.pid, "SIGHUP");
  const line = await program.logged("not_reloaded");
  await exportOverHttp(program.httpUrl, requestOf(3));
  await upstream.arrivals.reached(1);
  await program.stop();
  await upstream.stop();

  expect(line).toMatchObject({ level: "WARNING", hint: expect.stringContaining("SIGHUP") });
  expect(upstream.requests.map((request) => request.headers.get("authorization"))).toEqual(["one"]);
});

test("without files to reload, SIGHUP changes nothing", async () => {
  const { env, kept } = keeping();
  await using program = await startProgram(env, { detached: true });
  await exportOverHttp(program.httpUrl, requestOf(3));

  process.kill(program.pid, "SIGHUP");
  await program.logged("reloaded");
  const exitCode = await program.stop();

  expect(exitCode).toBe(0);
  expect(program.log().at(-3)).toMatchObject({ event: "stopping", signal: "SIGTERM" });
  expect(kept()).toContain(requestOf(3).toHex());
});

/** Runs a command on a terminal until it has shown a text, and presses Ctrl-C. */
async function interruptCommand(argv: readonly string[], until: string) {
  const shown = shownText();
  const child = Bun.spawn(["sh", "-c", KEEPING_OUTPUT, "sh", ...COMMAND, ...argv], {
    env: { PATH: process.env["PATH"], TERM: "xterm" },
    terminal: { data: (_, bytes) => shown.add(bytes) },
  });
  await shown.has(until);
  child.terminal?.write("\u0003");
  await child.exited;
  return { child, text: shown.plain() };
}

test("Ctrl-C on a terminal ends a tail with 0, and the line that shows it", async () => {
  await using program = await startProgram();

  const { child, text } = await interruptCommand(["tail", "--url", program.apiUrl], "TRACE");

  expect(child.exitCode).toBe(0);
  expect(text).toEndWith("^C\n");
});

test("Ctrl-C on a terminal ends a send as a signal does, so that the shell ends too", async () => {
  await using program = await startProgram();
  const spans = join(mkdtempSync(join(root, "send-")), "spans.bin");
  writeFileSync(spans, requestOf(1_000));
  const argv = ["send", spans, "--to", program.httpUrl, "--rate", "10"];

  const { child, text } = await interruptCommand(argv, "spans/s");

  expect(child.signalCode).toBe("SIGINT");
  expect(text).toContain("spanring: interrupted; the rest was not sent\n");
});

/** Returns the events of the log without those of listeners. */
function eventsOf(log: readonly LogLine[]): string[] {
  return log.flatMap(({ event }) => (event === "listening" ? [] : [event]));
}
