import { expect, test } from "bun:test";
import { noSpans, SEQUENCE, threeSpans } from "../../../support/fakes/api-answers.ts";
import { type Answer, problem, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";
import { HOSTILE_NAME, TRACE_ID, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";

stopFakeServersAfterEach();

const wait = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["wait", ...argv], answer, parts);

function otlpJsonOf(...names: string[]): object {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  return {
    resourceSpans: [{ resource, scopeSpans: [{ spans: names.map((name) => ({ name })) }] }],
  };
}

const missed = (nearest?: object): Answer => {
  return () => problem(408, { ...MISSED, nearest });
};

const MISSED = { detail: "not in time", found: 1, wanted: 3, sequence: SEQUENCE };

test("wait sends its options as query parameters and prints the spans found", async () => {
  const argv = "--name x --count 2 --timeout 5s --quiet 1s --after 7 --trace-complete".split(" ");

  const end = await wait(argv, threeSpans);

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout.split("\n")).toHaveLength(4);
  expect(end.requestLines).toEqual([
    "GET /api/wait?name=x&count=2&timeout=5s&quiet=1s&after=7&trace_complete=true",
  ]);
});

test("a complete trace on a terminal is drawn as a tree", async () => {
  const end = await wait(["--trace-complete"], threeSpans, { columns: 80 });

  expect(end.stdout).toStartWith(`trace ${TRACE_ID}\n`);
});

test("an expected absence is a success without output", async () => {
  const end = await wait(["--count", "0", "--absent", "--status", "error"], noSpans);

  expect(end).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  expect(end.requestLines).toEqual(["GET /api/wait?count=0&absent=true&status=error"]);
});

test("a timeout reports the spans found and the matches without the last filter", async () => {
  const nearest = { without: "status=error", count: 2, spans: otlpJsonOf("GET /", "GET /a") };

  const end = await wait(["--count", "3"], missed(nearest));

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr.split("\n").slice(0, 3)).toEqual([
    "spanring: 1 of 3 spans arrived in time",
    "2 spans match without --status error:",
    expect.stringMatching(/^TIME .* DURATION +TRACE$/),
  ]);
  expect(end.stderr).toContain("shop       GET /a ");
});

test("a single near miss is reported in the singular", async () => {
  const end = await wait([], missed({ without: "a", count: 1, spans: otlpJsonOf("x") }));

  expect(end.stderr).toContain("\n1 span matches without a:\n");
});

test("at most ten near misses are shown", async () => {
  const names = Array.from({ length: 50 }, (_, at) => `span ${at}`);

  const end = await wait([], missed({ without: "a", count: 50, spans: otlpJsonOf(...names) }));

  expect(end.stderr).toContain("span 9 ");
  expect(end.stderr).not.toContain("span 10 ");
});

test.each([undefined, { without: "a", count: 0, spans: {} }])(
  "with %p as the nearest spans, a timeout reports only the numbers",
  async (nearest) => {
    const end = await wait([], missed(nearest));

    expect(end).toMatchObject({ exitCode: 1, stderr: "spanring: 1 of 3 spans arrived in time\n" });
  },
);

test("an incomplete trace is reported in the words of the server", async () => {
  const detail = "1 span matches, but its trace was not complete in time: no root arrived";

  const end = await wait(["--trace-complete"], () => problem(408, { ...MISSED, detail }));

  expect(end).toMatchObject({ exitCode: 1, stderr: `spanring: ${detail}\n` });
});

test.each([
  { name: "no numbers", status: 408, members: { detail: "x", sequence: SEQUENCE } },
  { name: "a number as text", status: 408, members: { ...MISSED, found: "1" } },
  { name: "null as the near miss", status: 408, members: { ...MISSED, nearest: null } },
  { name: "an incomplete near miss", status: 408, members: { ...MISSED, nearest: { count: 1 } } },
  { name: "no sequence", status: 409, members: { detail: "a span came", spans: {} } },
  { name: "no detail", status: 400, members: {} },
])("$status with $name is not a response of the read API", async ({ status, members }) => {
  const end = await wait([], () => problem(status, members));

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toContain("/api/wait is not a response of spanring's read API\n");
});

test("a span that should be absent is shown", async () => {
  const came = { detail: "a span came", spans: otlpJsonOf("GET /"), sequence: SEQUENCE };

  const end = await wait(["--absent"], () => problem(409, came));

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr).toStartWith("spanring: a span came\nTIME ");
  expect(end.stderr).toContain("GET /");
});

test("control characters in spans are never printed on the terminal", async () => {
  const nearest = { without: HOSTILE_NAME, count: 1, spans: otlpJsonOf(HOSTILE_NAME) };

  const end = await wait([], missed(nearest), { columns: 80 });

  expect(end.stderr).not.toMatch(UNSAFE_TEXT);
});

test("a mistake in a filter causes exit code 2", async () => {
  const mistake = { detail: "timeout must be a duration", parameter: "timeout" };

  const end = await wait(["--timeout", "soon"], () => problem(400, mistake));

  expect(end).toMatchObject({ exitCode: 2, stderr: "spanring: --timeout must be a duration\n" });
});

test("a 408 response of another server is not taken for a timeout of the wait", async () => {
  const end = await wait([], () => new Response("", { status: 408 }));

  expect(end.exitCode).toBe(3);
});
