import { describe, expect, test } from "bun:test";
import { SEQUENCE, summaryOf, threeSpans } from "../../../support/fakes/api-answers.ts";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import { TRACE_ID } from "../../../support/requests/shown-spans.ts";

stopFakeServersAfterEach();

const OTHER = `${TRACE_ID.slice(0, 30)}00`;
const THIRD = "ff".repeat(16);

/** Lists these traces, and returns three spans for any trace. */
const listing =
  (...traceIds: string[]): Answer =>
  (request) =>
    request.path === "/api/traces?limit=10000"
      ? Response.json({ traces: traceIds.map((id) => summaryOf(id)), sequence: SEQUENCE })
      : threeSpans(request);

describe("a prefix of a trace id is resolved to the whole id", () => {
  test.each([
    { argv: ["traces", TRACE_ID.slice(0, 31)], requested: `GET /api/traces/${TRACE_ID}` },
    { argv: ["traces", "FFFF"], requested: `GET /api/traces/${THIRD}` },
    {
      argv: ["get", "--trace-id", "ffffffff"],
      requested: `GET /api/spans?trace_id=${THIRD}&order=newest`,
    },
  ])("by $argv", async ({ argv, requested }) => {
    const end = await runAgainstFake(argv, listing(TRACE_ID, OTHER, THIRD));

    expect(end).toMatchObject({
      exitCode: 0,
      requestLines: ["GET /api/traces?limit=10000", requested],
    });
  });

  test("a prefix in --trace-id is resolved when other filters are present", async () => {
    const argv = ["traces", "--name", "x", "--trace-id", "ffff"];

    const { requestLines } = await runAgainstFake(argv, listing(THIRD));

    expect(requestLines[1]).toBe(`GET /api/traces?name=x&trace_id=${THIRD}`);
  });
});

test("a whole trace id is sent without a lookup", async () => {
  const { requestLines } = await runAgainstFake(
    ["traces", TRACE_ID.toUpperCase()],
    listing(TRACE_ID),
  );

  expect(requestLines).toEqual([`GET /api/traces/${TRACE_ID}`]);
});

test.each([
  { argv: ["traces", "0aF"], says: 'TRACE_ID is "0aF"' },
  { argv: ["traces", "no id"], says: 'TRACE_ID is "no id"' },
  { argv: ["traces", `${TRACE_ID}0`], says: `TRACE_ID is "${TRACE_ID}0"` },
  { argv: ["traces", "../stats"], says: 'TRACE_ID is "../stats"' },
  { argv: ["traces", "\u001b[2J"], says: 'TRACE_ID is "\\x1b[2J"' },
  { argv: ["get", "--trace-id", "f"], says: '--trace-id is "f"' },
  { argv: ["traces", "--trace-id", "f"], says: '--trace-id is "f"' },
])(
  "$argv is refused without a request, and the message states the minimum length",
  async ({ argv, says }) => {
    const { exitCode, stderr, requestLines } = await runAgainstFake(argv, listing(TRACE_ID));

    expect({ exitCode, requestLines }).toEqual({ exitCode: 2, requestLines: [] });
    expect(stderr).toBe(`spanring: ${says}; it must be 32 hex digits, or the first 4 or more\n`);
  },
);

test("a warning is printed if traces beyond the listed ones may match the prefix", async () => {
  const traceIds = [THIRD, ...Array<string>(9_999).fill(TRACE_ID)];

  const { exitCode, stderr } = await runAgainstFake(["traces", "ffff"], listing(...traceIds));

  expect(exitCode).toBe(0);
  expect(stderr).toBe(
    "spanring: only the newest 10,000 traces were searched; " +
      "an older one may begin with ffff too\n",
  );
});

test("an ambiguous prefix is refused, and the matching traces are listed", async () => {
  const end = await runAgainstFake(["traces", TRACE_ID.slice(0, 8)], listing(TRACE_ID, OTHER));

  expect(end).toMatchObject({ exitCode: 2, stdout: "" });
  expect(end.stderr).toBe(
    `spanring: 2 traces begin with 0af76519; give more digits\n  ${TRACE_ID}\n  ${OTHER}\n`,
  );
});

test("at most ten matching traces are listed", async () => {
  const { stderr } = await runAgainstFake(
    ["traces", "ffff"],
    listing(...Array<string>(11).fill(THIRD)),
  );

  expect(stderr.trimEnd().split("\n")).toHaveLength(12);
  expect(stderr).toEndWith("  and more\n");
});

test.each([
  { traceCount: 1, says: "none of the buffered traces begins with ffff" },
  { traceCount: 10_000, says: "none of the newest 10,000 begins with ffff" },
])("a prefix that matches none of $traceCount traces is reported", async ({ traceCount, says }) => {
  const traceIds = Array<string>(traceCount).fill(TRACE_ID);

  const end = await runAgainstFake(["traces", "ffff"], listing(...traceIds));

  expect(end).toMatchObject({ exitCode: 1, stdout: "", stderr: `spanring: ${says}\n` });
});

test.each([
  { name: "text", answer: () => new Response("no") },
  { name: "no list of traces", answer: () => Response.json({ sequence: SEQUENCE }) },
  {
    name: "a trace without an identifier",
    answer: () => Response.json({ traces: [{ spans: 5 }], sequence: SEQUENCE }),
  },
])("a response with $name is an error, and not an unknown trace", async ({ answer }) => {
  const end = await runAgainstFake(["traces", "ffff"], answer);

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toContain("/api/traces?limit=10000 is not a response of spanring's read API");
});
