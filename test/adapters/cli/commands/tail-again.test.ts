import { expect, test } from "bun:test";
import { lineOf } from "../../../support/fakes/api-answers.ts";
import {
  type Answer,
  endless,
  problem,
  startFakeServer,
  stopFakeServersAfterEach,
} from "../../../support/fakes/fake-api.ts";
import { HandMovedSleep } from "../../../support/fakes/hand-moved-sleep.ts";
import { PATIENT_CLOCK } from "../../../support/fakes/patient-clock.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { runReadApi, stopReadApisAfterEach } from "../../../support/running/running-read-api.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";

// Goal: tail reconnects when a connection ends, continues at its position, and reports a restart.
// Method: a server that gives a list of answers, one per request, and a clock that stands still.

stopFakeServersAfterEach();
stopReadApisAfterEach();

const RECONNECTING = "spanring: the connection to spanring ended; reconnecting\n";

/** Returns the answer to a tail that begins after `after`; it ends after these lines. */
function tailOf(runId: string, after: number, ...lines: object[]): Response {
  return signed(
    runId,
    after,
    new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join("")),
  );
}

function signed(runId: string, after: number, response: Response): Response {
  response.headers.set("Content-Type", "application/x-ndjson");
  response.headers.set("Spanring-Run-Id", runId);
  response.headers.set("Spanring-First-Sequence", String(after + 1));
  return response;
}

const stopping = () => problem(503, { detail: "the server is stopping" });

function gone(runId: string): Response {
  const response = problem(410, { detail: "another run", parameter: "after" });
  response.headers.set("Spanring-Run-Id", runId);
  return response;
}

/** A clock that stands still, so that no answer is late; pauses end at once. */
class PauseClock extends HandMovedSleep {
  override sleep(durationMs: number, signal = new AbortController().signal): Promise<void> {
    return durationMs < 10_000 ? super.sleep(durationMs) : PATIENT_CLOCK.sleep(durationMs, signal);
  }
}

interface Following {
  readonly argv?: readonly string[];
  /** The text on standard output that triggers Ctrl-C. */
  readonly until?: string;
  readonly clock?: HandMovedSleep;
}

/** Runs tail against a server that gives these answers in order, and then repeats the last. */
async function follow(
  answers: readonly (() => Response)[],
  { argv = [], until, clock = new PauseClock() }: Following,
) {
  let count = 0;
  const answer: Answer = () => answers[Math.min(count++, answers.length - 1)]!();
  const api = startFakeServer(answer);
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const written = writtenText();
  const write = (text: string | Uint8Array): boolean => {
    const isWritten = written.write(text);
    if (until !== undefined && written.text().includes(until)) stop();
    return isWritten;
  };
  const surroundings = { clock, stopped: () => stopped, stdout: { ...written, write } };
  const end = await runCommands(["tail", "--url", api.url, ...argv], surroundings);
  const names = Array.from(written.text().matchAll(/"name":"(.*?)"/g), ([, name]) => name);
  return { ...end, names, paths: api.requests.map(({ path }) => path), clock };
}

test("tail continues after the last span shown in the same run", async () => {
  const answers = [
    () => tailOf("a1", 3, lineOf(4), lineOf(6)),
    () => signed("a1", 6, endless(lineOf(7))),
  ];

  const end = await follow(answers, {
    argv: ["--status", "error", "--after", "3"],
    until: "span 7",
  });

  expect(end).toMatchObject({
    exitCode: 0,
    names: ["span 4", "span 6", "span 7"],
    stderr: RECONNECTING,
  });
  expect(end.paths).toEqual([
    "/api/tail?status=error&after=3",
    "/api/tail?status=error&after=a1-6",
  ]);
});

test("tail continues at its first position if it has shown no span", async () => {
  const answers = [() => tailOf("a1", 41), () => signed("a1", 41, endless(lineOf(42)))];

  const end = await follow(answers, { until: "span 42" });

  expect(end.paths).toEqual(["/api/tail", "/api/tail?after=a1-41"]);
});

test("tail reports a restart and shows the new run from its beginning", async () => {
  const answers = [
    () => tailOf("a1", 0, lineOf(1)),
    () => gone("b2"),
    () => signed("b2", 0, endless(lineOf(1, { name: "new" }))),
  ];

  const end = await follow(answers, { until: "new" });

  expect(end).toMatchObject({ exitCode: 0, names: ["span 1", "new"] });
  expect(end.stderr).toBe(
    `${RECONNECTING}spanring: spanring was restarted; these are the spans of the new run\n`,
  );
  expect(end.paths.slice(1)).toEqual(["/api/tail?after=a1-1", "/api/tail?after=b2-0"]);
});

test("tail survives a restart of the real read API on the same port", async () => {
  const first = runReadApi({ runId: "a1" });
  const { port } = first.api;
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const stdout = writtenText();
  const write = (text: string | Uint8Array): boolean => {
    const isWritten = stdout.write(text);
    if (stdout.text().includes("span 5")) void first.api.abort();
    if (stdout.text().includes("span 60")) stop();
    return isWritten;
  };
  const clock = new PauseClock();
  const restarted = Promise.withResolvers<void>();
  const restart = async () => {
    await first.api.stop();
    const second = runReadApi({ runId: "b2", spanCount: 0, address: { host: "127.0.0.1", port } });
    second.put(requestOf(1, 60));
    restarted.resolve();
  };
  const sleep = async (durationMs: number, signal: AbortSignal) => {
    if (durationMs >= 10_000) return await PATIENT_CLOCK.sleep(durationMs, signal);
    if (clock.sleptMs.length === 0) void restart();
    return void (await Promise.all([restarted.promise, clock.sleep(durationMs)]));
  };

  const end = await runCommands(["tail", "--after", "a1-4", "--url", `http://127.0.0.1:${port}`], {
    clock: Object.assign(Object.create(clock), { sleep }),
    stopped: () => stopped,
    stdout: { ...stdout, write },
  });

  const names = Array.from(stdout.text().matchAll(/"name":"(span .*?)"/g), ([, name]) => name);
  expect({ ...end, names }).toMatchObject({ exitCode: 0, names: ["span 5", "span 60"] });
  expect(end.stderr).toContain("spanring was restarted; these are the spans of the new run\n");
});

test("spans missed after a reconnection are reported as an upper limit", async () => {
  const answers = [
    () => tailOf("a1", 0, { missed: 2 }, lineOf(3)),
    () => signed("a1", 3, endless({ missed: 1200 }, lineOf(1300))),
  ];

  const end = await follow(answers, { until: "span 1300" });

  expect(end.stderr).toBe(
    `spanring: missed 2 spans\n${RECONNECTING}spanring: missed up to 1,200 spans\n`,
  );
});

test("tail gives up after five seconds without a connection", async () => {
  const end = await follow([() => tailOf("a1", 0, lineOf(1)), stopping], {});

  expect(end).toMatchObject({ exitCode: 3, names: ["span 1"] });
  expect(end.stderr).toBe(`${RECONNECTING}spanring: gave up after 5 s: the server is stopping\n`);
  expect(end.clock.sleptMs.reduce((sum, each) => sum + each)).toBe(5_000);
});

test("tail gives up on a server that closes every connection without a span", async () => {
  const end = await follow([() => tailOf("a1", 0)], {});

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toEndWith("gave up after 5 s: it closes every connection\n");
  expect(end.paths).toHaveLength(21);
});

const refused = () => problem(403, { detail: "Host must be of this machine" });

test("tail does not retry after a refusal", async () => {
  const end = await follow([() => tailOf("a1", 0, lineOf(1)), refused], {});

  expect(end).toMatchObject({
    exitCode: 3,
    stderr: `${RECONNECTING}spanring: Host must be of this machine\n`,
  });
  expect(end.paths).toHaveLength(2);
});

test("Ctrl-C during reconnection is a success", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const api = startFakeServer(() => tailOf("a1", 0));
  const clock = new PauseClock();
  const sleep = (durationMs: number, signal: AbortSignal) => {
    if (durationMs < 10_000) stop();
    return PATIENT_CLOCK.sleep(durationMs, signal);
  };

  const end = await runCommands(["tail", "--url", api.url], {
    clock: Object.assign(Object.create(clock), { sleep }),
    stopped: () => stopped,
  });

  expect(end).toMatchObject({ exitCode: 0, stdout: "", stderr: RECONNECTING });
});
