import { expect, test } from "bun:test";
import { once } from "node:events";
import { lineOf } from "../../../support/fakes/api-answers.ts";
import {
  type Answer,
  endless,
  problem,
  startFakeServer,
  stopFakeServersAfterEach,
} from "../../../support/fakes/fake-api.ts";
import {
  type CommandSurroundings,
  runCommands,
} from "../../../support/running/run-command-line.ts";
import { HOSTILE_NAME, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";

stopFakeServersAfterEach();

const lines = [lineOf(1), lineOf(2)];
const SPANS = lines.map((line) => `${JSON.stringify(line)}\n`).join("");

/** Runs tail until it has written this number of lines, and then stops it. */
async function tail(
  argv: readonly string[],
  answer: Answer,
  { lineCount = 2, columns, ...parts }: CommandSurroundings & { lineCount?: number } = {},
) {
  const api = startFakeServer(answer);
  const written = writtenText(columns !== undefined, columns);
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const writeAside = async (text: string): Promise<boolean> => {
    written.write(text);
    if (written.text().split("\n").length > lineCount) stop();
    return true;
  };
  const surroundings = {
    stopped: () => stopped,
    stdout: { ...written, writeAside },
    ...(columns === undefined ? {} : { columns }),
    ...parts,
  };
  const end = await runCommands(["tail", "--url", api.url, ...argv], surroundings);
  return { ...end, stdout: written.text(), requests: api.requests };
}

test("spans are printed as they arrive until Ctrl-C, which is a success", async () => {
  const end = await tail(["--status", "error", "--after", "5"], () => endless(...lines));

  expect(end).toMatchObject({ exitCode: 0, stdout: SPANS, stderr: "" });
  expect(end.requests[0]?.path).toBe("/api/tail?status=error&after=5");
  expect(end.requests[0]?.headers.get("accept")).toBe("application/x-ndjson");
});

test("missed spans are reported on standard error only", async () => {
  const end = await tail([], () => endless(lines[0], { missed: 1200 }, { missed: 1 }, lines[1]));

  expect(end).toMatchObject({ exitCode: 0, stdout: SPANS });
  expect(end.stderr).toBe("spanring: missed 1,200 spans\nspanring: missed 1 span\n");
});

test("missed spans are reported between the spans before and after them", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const both = writtenText();
  const writeAside = async (text: string): Promise<boolean> => {
    both.write(text);
    if (text.includes("span 2")) stop();
    return true;
  };
  const streams = { stdout: { ...both, writeAside }, stderr: both, stopped: () => stopped };

  await tail([], () => endless(lines[0], { missed: 3 }, lines[1]), streams);

  expect(
    both
      .text()
      .replaceAll(/\{.*"name":"(.*?)".*\}/g, "$1")
      .split("\n"),
  ).toEqual(["span 1", "spanring: missed 3 spans", "span 2", ""]);
});

test("on a terminal, spans are rows under a header, without control characters", async () => {
  const hostile = lineOf(3, { name: HOSTILE_NAME });

  const end = await tail([], () => endless(...lines, hostile), { columns: 100, lineCount: 4 });

  expect(end.exitCode).toBe(0);
  expect(end.stdout.split("\n").slice(0, 2)).toEqual([
    expect.stringMatching(/^TIME +SERVICE +KIND +NAME +DURATION +TRACE$/),
    expect.stringMatching(/shop +span 1 +12\.3 ms  0af76519$/),
  ]);
  expect(end.stdout).not.toMatch(UNSAFE_TEXT);
});

test("--json on a terminal prints escaped NDJSON", async () => {
  const hostile = lineOf(3, { name: HOSTILE_NAME });

  const end = await tail(["--json"], () => endless(hostile), { columns: 80, lineCount: 1 });

  expect(JSON.parse(end.stdout)).toEqual(hostile);
  expect(end.stdout).not.toMatch(UNSAFE_TEXT);
});

test("a line that is not a span is skipped on a terminal", async () => {
  const end = await tail([], () => new Response('nonsense\n\n{"name":"x"}\n'), { columns: 80 });

  // The header, the span, and the line that ^C begins.
  expect(end.stdout.split("\n")).toEqual([expect.any(String), expect.any(String), "", ""]);
});

test("tail ends quietly when its reader closes the pipe", async () => {
  const stdout = writtenText(false, 80, 0);

  const end = await tail([], () => endless(...lines, { missed: 1 }, lineOf(3)), { stdout });

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(stdout.text()).toBe("");
});

test("Ctrl-C ends tail although the reader of a full pipe reads nothing", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const writeAside = async (_text: string, signal?: AbortSignal): Promise<boolean> => {
    const aborted = once(signal!, "abort");
    stop();
    await aborted;
    return false;
  };
  const stdout = { ...writtenText(), writeAside };

  const end = await tail([], () => endless(...lines), { stdout, stopped: () => stopped });

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
});

test("Ctrl-C before the first span is a success", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const answer: Answer = () => {
    stop();
    return new Promise(() => {});
  };

  const end = await tail([], answer, { stopped: () => stopped });

  expect(end).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
});

test("a mistake in a filter is reported", async () => {
  const end = await tail(["--kind", "x"], () => problem(400, { detail: "kind must be one of" }));

  expect(end).toMatchObject({ exitCode: 2, stderr: "spanring: kind must be one of\n" });
});
