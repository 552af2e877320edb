import { expect, test } from "bun:test";
import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blockedInPipe, fillPipe, openUnreadPipe } from "../support/processes/full-pipe.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  span,
} from "../support/requests/request-bytes.ts";
import { bytesField } from "../support/requests/wire-bytes.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { COMMAND, type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { nextTurn } from "../support/running/searched-ring.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: a reader that stops reading, as in `spanring tail | less`, does not keep a command from
// ending.
// Method: a pipe that is full before the command starts, and that nobody reads.

const folder = temporaryFolder();

function fullPipe(name: string): number {
  const path = join(folder, name);
  Bun.spawnSync(["mkfifo", path]);
  // Open for reading too, so that it exists.
  const filler = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const full = openSync(path, constants.O_WRONLY);
  fillPipe(filler);
  return full;
}

/** Resolves when a tail is connected. */
async function tailed({ apiUrl }: RunningProgram): Promise<void> {
  for (;;) {
    const page = await (await fetch(`${apiUrl}/metrics`)).text();
    if (/^spanring_tails 1$/m.test(page)) return;
  }
}

test.each(["SIGTERM", "SIGINT"] as const)("%s ends a tail into a full pipe", async (signal) => {
  await using program = await startProgram();
  const stdout = fullPipe(signal);
  const argv = [...COMMAND, "tail", "--url", program.apiUrl];
  const child = Bun.spawn(argv, { env: {}, stdin: "ignore", stdout, stderr: "inherit" });
  await tailed(program);
  await exportOverHttp(program.httpUrl, requestOf(3));
  await blockedInPipe(child.pid);

  child.kill(signal);
  const exitCode = await child.exited;
  closeSync(stdout);

  expect(exitCode).toBe(0);
});

/** A request with a span whose line is longer than a pipe. */
const LONG_VALUE = bytesField(9, attribute("text", "x".repeat(200_000)));
const LONG = request(resourceSpans("till", span(7, LONG_VALUE)));

test.each(["SIGTERM", "SIGINT"] as const)(
  "a slow reader of a tail that %s ends gets whole lines",
  async (signal) => {
    await using program = await startProgram();
    const pipe = openUnreadPipe(join(folder, `slow-${signal}`));
    const argv = [...COMMAND, "tail", "--url", program.apiUrl];
    const child = Bun.spawn(argv, { env: {}, stdout: pipe.writer, stderr: "inherit" });
    await tailed(program);
    await exportOverHttp(program.httpUrl, requestOf(3));
    await exportOverHttp(program.httpUrl, LONG);
    await blockedInPipe(child.pid);

    child.kill(signal);
    let written = "";
    while (child.exitCode === null) {
      written += pipe.content();
      await new Promise((resolve) => setImmediate(resolve));
    }
    written += pipe.content();

    const lines = written.split("\n");
    expect(child.exitCode).toBe(0);
    expect(lines.pop()).toBe("");
    expect(lines.map((line) => JSON.parse(line).sequence)).toEqual([1, 2, 3, 4]);
  },
);

test("SIGTERM ends a send that cannot print what it has sent", async () => {
  await using program = await startProgram();
  const file = join(folder, "spans.bin");
  writeFileSync(file, requestOf(3));
  const stdout = fullPipe("sent");
  const argv = [...COMMAND, "send", file, "--to", program.httpUrl];
  const child = Bun.spawn(argv, { env: {}, stdin: "ignore", stdout, stderr: "inherit" });
  await blockedInPipe(child.pid);

  child.kill("SIGTERM");
  const exitCode = await child.exited;
  closeSync(stdout);

  expect(exitCode).toBe(0);
});

test("SIGINT ends the tail of a run that nobody reads, but not its files and report", async () => {
  const [spans, ended, out, junit] = ["sent.bin", "ended", "out.jsonl", "junit.xml"].map((name) =>
    join(folder, name),
  );
  writeFileSync(spans!, requestOf(2_000));
  const pipe = openUnreadPipe(join(folder, "tailing"));
  const sender = `"$@" send ${spans} --to "$OTEL_EXPORTER_OTLP_ENDPOINT" 2>/dev/null; : > ${ended}`;
  const options = ["--tail", "--out", out!, "--junit", junit!, "--expect", "name=missing"];
  const argv = [...COMMAND, "run", ...options, "--", "sh", "-c", sender, "sh", ...COMMAND];
  const env = { PATH: process.env["PATH"] };
  const child = Bun.spawn(argv, { env, stdin: "ignore", stdout: "ignore", stderr: pipe.writer });
  await blockedInPipe(child.pid);
  while (!existsSync(ended!) || hasChild(child.pid)) await nextTurn();

  child.kill("SIGINT");
  let written = "";
  while (child.exitCode === null) {
    written += pipe.content();
    await nextTurn();
  }
  written += pipe.content();

  expect(child.exitCode).toBe(1);
  expect([existsSync(out!), existsSync(junit!)]).toEqual([true, true]);
  expect(written).toMatch(/^spanring: .* expected name=missing$/m);
});

/** Reports whether a process has a child, even one that has ended but that it has not noticed. */
function hasChild(pid: number): boolean {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1") !== "";
}
