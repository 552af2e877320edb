import { describe, expect, test } from "bun:test";
import type { SleepingClock } from "../../../../src/ports/clock.ts";
import { HandMovedSleep } from "../../../support/fakes/hand-moved-sleep.ts";
import { PATIENT_CLOCK } from "../../../support/fakes/patient-clock.ts";
import { threeSpans } from "../../../support/fakes/api-answers.ts";
import {
  type Answer,
  problem,
  startFakeServer,
  stopFakeServersAfterEach,
  unusedUrl,
} from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import {
  type CommandSurroundings,
  runCommands,
} from "../../../support/running/run-command-line.ts";

stopFakeServersAfterEach();

const get = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["get", ...argv], answer, parts);

test.each([
  { status: 400, exitCode: 2 },
  { status: 404, exitCode: 3 },
  { status: 406, exitCode: 3 },
  { status: 500, exitCode: 3 },
  { status: 503, exitCode: 3 },
])(
  "a problem response with status $status is reported in one line, with exit code $exitCode",
  async (expected) => {
    const detail = "kind is \u001b[2J; it must be one of\nserver, client";

    const end = await get([], () => problem(expected.status, { detail, parameter: "kind" }));

    expect(end).toMatchObject({ exitCode: expected.exitCode, stdout: "" });
    expect(end.stderr).toBe("spanring: --kind is \\x1b[2J; it must be one of\\nserver, client\n");
  },
);

test("an unreadable problem is not taken for a response of the read API", async () => {
  const headers = { "Content-Type": "application/problem+json" };

  const end = await get([], () => new Response("{", { status: 400, headers }));

  expect(end.exitCode).toBe(3);
  expect(end.stderr).toContain(
    "/api/spans?order=newest is not a response of spanring's read API\n",
  );
});

test("a response from another kind of server is recognised", async () => {
  const end = await get([], () => new Response("not here", { status: 404 }));

  expect(end.exitCode).toBe(3);
  expect(end.stderr).toContain("it is not the read API of this version of spanring\n");
});

test("an error message names the option as the user wrote it", async () => {
  const mistake = {
    detail: 'min_duration is "x"; it must be a duration',
    parameter: "min_duration",
  };

  const end = await get(["--min-duration", "x"], () => problem(400, mistake));

  expect(end.stderr).toBe('spanring: --min-duration is "x"; it must be a duration\n');
});

test("a cursor from another run causes exit code 2, not that of an empty result", async () => {
  const detail = 'after is "a1-5", a position in another run. Start again with after=0';

  const end = await get(["--after", "a1-5"], () => problem(410, { detail, parameter: "after" }));

  expect(end).toMatchObject({ exitCode: 2, stdout: "" });
  expect(end.stderr).toBe(
    'spanring: --after is "a1-5", a position in another run. Start again with --after 0\n',
  );
});

test("a refused connection is reported with the URL and a remedy", async () => {
  const url = await unusedUrl();

  const end = await runCommands(["get", "--url", `${url}/`]);

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toStartWith(`spanring: cannot connect to ${url}: `);
  expect(end.stderr).toEndWith("Start spanring there, or set --url or SPANRING_URL.\n");
});

const silent = () => new Promise<Response>(() => {});

describe("a port that accepts connections and never answers", () => {
  test.each([
    { argv: ["get"], limit: "10 s" },
    { argv: ["tail"], limit: "10 s" },
    { argv: ["stats"], limit: "10 s" },
    { argv: ["traces"], limit: "10 s" },
    { argv: ["take"], limit: "10 s" },
    { argv: ["clear"], limit: "10 s" },
    { argv: ["wait"], limit: "30 s" },
    { argv: ["wait", "--timeout", "1m"], limit: "130 s" },
    { argv: ["wait", "--timeout", "long"], limit: "30 s" },
  ])("makes $argv time out after $limit with a hint", async ({ argv, limit }) => {
    const end = await runAgainstFake(argv, silent, { clock: new HandMovedSleep() });

    expect(end).toMatchObject({ exitCode: 3, stdout: "" });
    expect(end.stderr).toStartWith(`spanring: ${end.url} has not responded within ${limit}: `);
    expect(end.stderr).toContain("The read API listens on port 4319");
  });

  test("does not time out if it answers late but within the limit", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const clock: SleepingClock = {
      monotonicMs: () => 0,
      sleep: async (_durationMs, signal) => {
        resolve();
        await PATIENT_CLOCK.sleep(_durationMs, signal);
      },
    };

    const end = await get([], (given) => promise.then(() => threeSpans(given)), { clock });

    expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  });
});

test("--url takes precedence over SPANRING_URL", async () => {
  const api = startFakeServer(threeSpans);

  const found = await runCommands(["get"], { env: { SPANRING_URL: api.url } });
  const wrong = await runCommands(["get"], { env: { SPANRING_URL: "localhost:4319" } });
  const both = await runCommands(["get", "--url", api.url], { env: { SPANRING_URL: "x" } });

  expect([found.exitCode, wrong.exitCode, both.exitCode]).toEqual([0, 2, 0]);
  expect(wrong.stderr).toContain('SPANRING_URL is "localhost:4319"; it must be a URL');
});

test("a connection that breaks during the response is reported", async () => {
  const half = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}\n";
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket) => void socket.end(half) },
  });

  const end = await runCommands(["get", "--url", `http://127.0.0.1:${server.port}`]);

  expect(end.exitCode).toBe(3);
  expect(end.stderr).toMatch(/^spanring: the response from \S+ was cut off: /);
});
