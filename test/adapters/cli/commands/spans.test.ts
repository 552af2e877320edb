import { expect, test } from "bun:test";
import { join } from "node:path";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { DrivenClock } from "../../../support/fakes/driven-clock.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { lineOf, noSpans, REQUEST, threeSpans } from "../../../support/fakes/api-answers.ts";
import { type Answer, ndjson, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";
import { HOSTILE_NAME, TRACE_ID, UNSAFE_TEXT } from "../../../support/requests/shown-spans.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

stopFakeServersAfterEach();

const get = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["get", ...argv], answer, parts);

const TERMINAL = { columns: 80 };

test("filters are sent in the order of the options, under the names of the API", async () => {
  const filters = "--status error --attribute a=1 --min-duration 1s --attribute b=2";
  const traceId = "ff".repeat(16);
  const argv = [
    "--trace-id",
    traceId,
    ...filters.split(" "),
    "--name",
    "GET /?&",
    "--limit",
    "5",
    "--order",
    "newest",
  ];

  const { requestLines } = await get(argv, threeSpans);

  expect(requestLines).toEqual([
    `GET /api/spans?trace_id=${traceId}&status=error&attribute=a%3D1&min_duration=1s` +
      "&attribute=b%3D2&name=GET+%2F%3F%26&limit=5&order=newest",
  ]);
});

test.each([
  { argv: [], query: "?order=newest" },
  { argv: ["--limit", "5"], query: "?limit=5&order=newest" },
  { argv: ["--order", "oldest"], query: "?order=oldest" },
  { argv: ["--after", "7", "--limit", "5"], query: "?after=7&limit=5" },
])("get $argv requests the newest spans, unless it follows a cursor", async ({ argv, query }) => {
  const { requestLines } = await get(argv, threeSpans);

  expect(requestLines).toEqual([`GET /api/spans${query}`]);
});

test("in a pipe, get prints the NDJSON of the server unchanged", async () => {
  const end = await get([], threeSpans);

  const lines = [1, 2, 3].map((sequence) => `${JSON.stringify(lineOf(sequence))}\n`);
  expect(end).toMatchObject({ exitCode: 0, stdout: lines.join(""), stderr: "" });
});

test("--json prints OTLP/JSON, and --otlp prints the bytes", async () => {
  const json = await get(["--json"], threeSpans);
  const otlp = await get(["--otlp"], threeSpans);

  expect(json).toMatchObject({ exitCode: 0, stdout: `${otlpJson(REQUEST)}\n` });
  expect(otlp.exitCode).toBe(0);
  expect(Buffer.from(otlp.stdoutBytes).equals(REQUEST)).toBe(true);
});

test("on a terminal, get prints a table, with colours unless NO_COLOR is set", async () => {
  const plain = await get([], threeSpans, TERMINAL);
  const coloured = await get([], threeSpans, { ...TERMINAL, env: {} });

  expect(plain).toMatchObject({ exitCode: 0, stderr: "" });
  expect(plain.stdout.split("\n")).toHaveLength(5);
  expect(plain.stdout).toStartWith("TIME ");
  expect(plain.stdout).not.toContain("\u001b");
  expect(coloured.stdout).toContain("\u001b[");
  expect(Bun.stripANSI(coloured.stdout)).toBe(plain.stdout);
});

test("rows beyond those that determine the column widths are printed too", async () => {
  const lines = Array.from({ length: 2500 }, (_, at) => lineOf(at));

  const { stdout } = await get([], () => ndjson(...lines), TERMINAL);

  expect(stdout.split("\n")).toHaveLength(2502);
  expect(stdout).toContain("span 2499");
});

test("a trace on a terminal is drawn as a tree", async () => {
  const { stdout, exitCode } = await get(["--trace-id", TRACE_ID], threeSpans, TERMINAL);

  expect(exitCode).toBe(0);
  expect(stdout).toStartWith(`trace ${TRACE_ID}\n3 spans, 1 service, 12.3 ms`);
});

const hostileSpan: Answer = ({ headers }) =>
  headers.get("accept") === "application/json"
    ? Response.json({ resourceSpans: [{ name: HOSTILE_NAME }] })
    : ndjson(lineOf(1, { name: HOSTILE_NAME, service: HOSTILE_NAME, traceId: HOSTILE_NAME }));

test.each([[], ["--json"], ["--trace-id", TRACE_ID]])(
  "control characters in a name are never printed on a terminal: %p",
  async (...argv) => {
    const { stdout } = await get(argv, hostileSpan, { columns: 200 });

    expect(stdout).toContain("evil");
    expect(stdout).not.toMatch(UNSAFE_TEXT);
  },
);

test("JSON that is escaped for a terminal has the same meaning", async () => {
  const answer = { resourceSpans: [{ name: HOSTILE_NAME }] };

  const { stdout } = await get(["--json"], () => new Response(JSON.stringify(answer)), TERMINAL);

  expect(JSON.parse(stdout)).toEqual(answer);
});

test.each([
  { argv: [], says: "no span is buffered" },
  { argv: ["--limit", "5", "--order", "newest"], says: "no span is buffered" },
  { argv: ["--name", "x"], says: "no buffered span matches" },
  { argv: ["--trace-id", TRACE_ID], says: "no buffered span matches" },
  { argv: ["--json"], says: "no span is buffered" },
])("an empty result is reported, on a terminal and in a pipe: $argv", async ({ argv, says }) => {
  const onTerminal = await get(argv, noSpans, TERMINAL);
  const inPipe = await get(argv, noSpans);

  expect(onTerminal).toMatchObject({ exitCode: 1, stderr: `spanring: ${says}\n` });
  expect(inPipe).toMatchObject({ exitCode: 1, stderr: `spanring: ${says}\n` });
});

test("an empty result prints nothing on standard output with --otlp", async () => {
  const end = await get(["--otlp"], noSpans);

  expect(end).toMatchObject({ exitCode: 1, stdout: "", stderr: "spanring: no span is buffered\n" });
});

const manySpans =
  (count: number): Answer =>
  ({ headers }) => {
    const type = headers.get("accept") ?? "";
    if (type === "application/x-ndjson") {
      return ndjson(...Array.from({ length: count }, (_, at) => lineOf(at)));
    }
    return new Response(
      type === "application/json" ? otlpJson(requestOf(count)) : requestOf(count),
    );
  };

test.each([
  { name: "a table", argv: [], parts: TERMINAL },
  { name: "a tree", argv: ["--trace-id", TRACE_ID], parts: TERMINAL },
  { name: "NDJSON", argv: [], parts: {} },
  { name: "JSON", argv: ["--json"], parts: {} },
  { name: "bytes", argv: ["--otlp"], parts: {} },
])("a result cut off by the default limit is reported with $name", async ({ argv, parts }) => {
  const full = await get(argv, manySpans(1000), parts);
  const whole = await get(argv, manySpans(999), parts);
  const limited = await get([...argv, "--limit", "1000"], manySpans(1000), parts);

  expect(full.exitCode).toBe(0);
  expect(full.stderr).toBe(
    "spanring: these are the newest 1,000 spans, and there may be more: " +
      "set --limit, or save all with --out FILE\n",
  );
  expect([whole.stderr, limited.stderr]).toEqual(["", ""]);
});

test.each([{ argv: ["--order", "oldest"] }, { argv: ["--after", "7"] }])(
  "the report of a cut result names the oldest spans with $argv",
  async ({ argv }) => {
    const { stderr } = await get(argv, manySpans(1000));

    expect(stderr).toContain("these are the oldest 1,000 spans");
  },
);

test.each([undefined, 80])(
  "get ends quietly when its reader closes the pipe (%p columns)",
  async (columns) => {
    const lines = Array.from({ length: 5000 }, (_, at) => lineOf(at));
    const parts = { readerLeavesAfter: 1, ...(columns === undefined ? {} : { columns }) };

    const end = await get([], () => ndjson(...lines), parts);

    expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  },
);

test("--help is printed without a request", async () => {
  const end = await get(["--help"], threeSpans);

  expect(end).toMatchObject({ exitCode: 0, stderr: "", requestLines: [] });
  expect(end.stdout).toStartWith("spanring get [OPTIONS]\n");
});

stopFakeServersAfterEach();

const take = (argv: readonly string[], answer: Answer) => runAgainstFake(["take", ...argv], answer);

test("take prints the oldest spans", async () => {
  const end = await take(["--limit", "3"], threeSpans);

  const requestLines = ["GET /healthz", "POST /api/spans/take?limit=3"];
  expect(end).toMatchObject({ exitCode: 0, requestLines });
  expect(end.stdout.split("\n")).toHaveLength(4);
});

test("take waits an hour for its answer, because the spans have left the buffer", async () => {
  const clock = new DrivenClock();
  const requested = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();

  const ended = runAgainstFake(
    ["take"],
    async (given) => {
      if (given.method === "GET") return new Response();
      requested.resolve();
      await answered.promise;
      return await threeSpans(given);
    },
    { clock },
  );
  await requested.promise;
  clock.moveMs(3_600_000);
  answered.resolve();

  expect(await ended).toMatchObject({ exitCode: 0, stderr: "" });
});

test("an empty buffer causes exit code 1, so that a loop can end", async () => {
  const stderr = "spanring: the buffer is empty\n";

  expect(await take([], noSpans)).toMatchObject({ exitCode: 1, stdout: "", stderr });
});

test("take sends no request if its output file cannot be written", async () => {
  const path = join(temporaryFolder(), "no-such-folder", "spans.binpb");

  const end = await take(["--out", path], threeSpans);

  expect(end).toMatchObject({ exitCode: 1, requestLines: [] });
});

test("take refuses filters with an explanation", async () => {
  const end = await take(["--name", "x"], threeSpans);

  expect(end).toMatchObject({ exitCode: 2, requestLines: [] });
  expect(end.stderr).toStartWith(
    "spanring: take does not accept --name; it belongs to tail, get, ",
  );
});

stopFakeServersAfterEach();

const clear = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["clear", ...argv], answer, parts);

const sequence = { run_id: "a", first: 4, next: 4 };

test.each([
  { removed: 1, text: "removed 1 span\n" },
  { removed: 1234, text: "removed 1,234 spans\n" },
  { removed: 0, text: "removed 0 spans\n" },
])("clear on a terminal prints: $text", async ({ removed, text }) => {
  const end = await clear([], () => Response.json({ removed, sequence }), { columns: 80 });

  expect(end).toMatchObject({
    exitCode: 0,
    stdout: text,
    stderr: "",
    requestLines: ["DELETE /api/spans"],
  });
});

test.each([{ argv: [] }, { argv: ["--json"], columns: 80 }])(
  "clear prints the JSON of the API in a pipe and with --json: %p",
  async ({ argv, columns }) => {
    const answer = { removed: 3, sequence };
    const parts = columns === undefined ? {} : { columns };

    const end = await clear(argv, () => Response.json(answer), parts);

    expect(end.stdout).toBe(`${JSON.stringify(answer)}\n`);
  },
);

test.each([() => new Response("no"), () => Response.json({}), () => Response.json(null)])(
  "a response without the number of removed spans is reported",
  async (answer) => {
    const end = await clear([], answer);

    expect(end).toMatchObject({ exitCode: 3, stdout: "" });
    expect(end.stderr).toContain("/api/spans is not a response of spanring's read API\n");
  },
);
