import { expect, test } from "bun:test";
import { lineOf, SEQUENCE, summaryOf, threeSpans } from "../../../support/fakes/api-answers.ts";
import {
  type Answer,
  ndjson,
  problem,
  stopFakeServersAfterEach,
} from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";
import { TRACE_ID } from "../../../support/requests/shown-spans.ts";

stopFakeServersAfterEach();

const traces = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["traces", ...argv], answer, parts);

const TERMINAL = { columns: 80 };

const SUMMARY = summaryOf(TRACE_ID);
const LIST = { traces: [SUMMARY, summaryOf(TRACE_ID, { root: null })], sequence: SEQUENCE };

const list: Answer = () => Response.json(LIST);
const none: Answer = () => Response.json({ traces: [], sequence: SEQUENCE });

test("in a pipe, a list is NDJSON with one trace per line", async () => {
  const end = await traces(["--status", "error", "--limit", "2"], list);

  const lines = LIST.traces.map((trace) => `${JSON.stringify(trace)}\n`);
  expect(end).toMatchObject({ exitCode: 0, stdout: lines.join(""), stderr: "" });
  expect(end.requestLines).toEqual(["GET /api/traces?status=error&limit=2"]);
});

test("--json prints the answer of the API", async () => {
  const end = await traces(["--json"], list, TERMINAL);

  expect(JSON.parse(end.stdout)).toEqual(LIST);
});

test("on a terminal, a list is a table", async () => {
  const end = await traces([], list, TERMINAL);

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toBe(
    `TRACE                             SPANS  ERRORS  DURATION  ROOT\n` +
      `${TRACE_ID}      5       1   12.3 ms  GET / [shop]\n` +
      `${TRACE_ID}      5       1   12.3 ms  (no root) [shop]\n`,
  );
});

test("a trace is drawn as a tree on a terminal, and printed as spans in a pipe", async () => {
  const tree = await traces([TRACE_ID], threeSpans, TERMINAL);
  const lines = await traces([TRACE_ID], threeSpans);

  expect(tree.requestLines).toEqual([`GET /api/traces/${TRACE_ID}`]);
  expect(tree.stdout).toStartWith(`trace ${TRACE_ID}\n3 spans`);
  expect(lines.stdout.split("\n")).toHaveLength(4);
});

test("--attributes lists attributes below each span, and needs a trace", async () => {
  const attributes = [{ key: "http.route", value: { stringValue: "/" } }];
  const answer: Answer = () => ndjson(lineOf(1, { attributes }));

  const tree = await traces([TRACE_ID, "--attributes"], answer, TERMINAL);
  const wrong = await traces(["--attributes"], list, TERMINAL);

  expect(tree.stdout).toContain("\n  http.route=/\n");
  expect(wrong).toMatchObject({ exitCode: 2, requestLines: [] });
  expect(wrong.stderr).toBe("spanring: --attributes needs a TRACE_ID\n");
});

test.each([{ columns: 80 }, {}])("an empty list causes exit code 1: %p", async (parts) => {
  const end = await traces([], none, parts);

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr).toBe("spanring: no buffered trace matches\n");
});

const HUNDRED = Array.from({ length: 100 }, () => SUMMARY);
const many: Answer = () => Response.json({ traces: HUNDRED, sequence: SEQUENCE });

test("a list cut off by the default limit is reported", async () => {
  const full = await traces([], many);
  const limited = await traces(["--limit", "100"], many);

  expect(full.stderr).toBe("spanring: these are 100 traces, and there may be more: set --limit\n");
  expect(limited.stderr).toBe("");
});

test("an unknown trace id causes exit code 1, with the message of the server", async () => {
  const absent = { detail: "no span of this trace", parameter: "trace_id" };

  const end = await traces([TRACE_ID], () => problem(404, absent));

  expect(end).toMatchObject({ exitCode: 1, stderr: "spanring: no span of this trace\n" });
});

test.each([
  { argv: [TRACE_ID, "--name", "x"], message: "TRACE_ID cannot be combined with filters" },
  { argv: ["--otlp"], message: "a list of traces is not OTLP" },
  { argv: ["--out", "x.json"], message: "a list of traces is not OTLP" },
])("$argv is refused", async ({ argv, message }) => {
  const end = await traces(argv, list);

  expect(end).toMatchObject({
    exitCode: 2,
    requestLines: [],
    stderr: expect.stringContaining(message),
  });
});

test.each([
  () => Response.json({ spans: [] }),
  () => new Response("no"),
  () => Response.json(null),
  () => Response.json({ traces: [summaryOf(TRACE_ID, { spans: "many" })], sequence: SEQUENCE }),
  () => Response.json({ traces: [SUMMARY, { traceId: TRACE_ID }], sequence: SEQUENCE }),
])("a response that does not match its description is reported", async (answer) => {
  const end = await traces([], answer);

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toContain("/api/traces is not a response of spanring's read API\n");
});
