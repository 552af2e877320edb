import { expect, test } from "bun:test";
import { noSpans, SEQUENCE } from "../../../support/fakes/api-answers.ts";
import { type Answer, problem, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";

stopFakeServersAfterEach();

const wait = (argv: readonly string[], answer: Answer) =>
  runAgainstFake(["wait", ...argv], answer, {});

const TEXT = "name=SELECT* under name='GET /orders'";

const NEAR = {
  traceId: "ab".repeat(16),
  spanId: "cd".repeat(8),
  name: "SELECT 1",
  service: "db",
  count: 1,
  differences: [{ condition: "under name='GET /orders'", found: "no parent" }],
};

const unmet = (members: object): Answer => {
  const usual = { found: 0, wrong: 0, uncertain: false, nearest: [], spans: {} };
  return () => problem(417, { detail: "spans left", sequence: SEQUENCE, ...usual, ...members });
};

test("wait asks for each expectation, and reports that all are met", async () => {
  const end = await wait(["--expect", TEXT, "--expect", "count=0", "--timeout", "5s"], noSpans);

  expect(end).toMatchObject({ exitCode: 0, stdout: "", stderr: "spanring: 2 expectations met\n" });
  expect(end.requestLines.toSorted()).toEqual([
    "GET /api/wait?expect=count%3D0&hold=true&timeout=5s",
    "GET /api/wait?expect=name%3DSELECT*+under+name%3D%27GET+%2Forders%27&hold=true&timeout=5s",
  ]);
});

test("an expectation that is not met is reported with the nearest spans", async () => {
  const end = await wait(["--expect", TEXT], unmet({ nearest: [NEAR] }));

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr.split("\n")).toEqual([
    `spanring: ✗ expected ${TEXT}`,
    "  seen: 0 spans",
    "  nearest: SELECT 1 (db)",
    "    expected under name='GET /orders'; found no parent",
    "",
  ]);
});

test("wrong spans and doubts are reported", async () => {
  const answer = unmet({ found: 3, wrong: 2, uncertain: true });

  const end = await wait(["--expect", "all kind=server have http.route"], answer);

  expect(end.stderr.split("\n").slice(1, 3)).toEqual([
    "  seen: 3 spans, 2 of them without http.route",
    "  spans left",
  ]);
});

test.each([
  { argv: ["--name", "x"], says: "--name cannot be combined with --expect" },
  { argv: ["--absent"], says: "--absent cannot be combined with --expect" },
  { argv: ["--json"], says: "--json cannot be combined with --expect" },
  { argv: ["--expect", "nmae=x"], says: 'column 1: unknown condition "nmae"' },
  {
    argv: Array.from({ length: 100 }, () => ["--expect", "name=x"]).flat(),
    says: "101 expectations; wait takes 100",
  },
])("a command line with a mistake asks for nothing: $says", async ({ argv, says }) => {
  const end = await wait(["--expect", TEXT, ...argv], noSpans);

  expect(end).toMatchObject({ exitCode: 2, requestLines: [] });
  expect(end.stderr).toContain(says);
});

test("another refusal is reported as it is", async () => {
  const end = await wait(["--expect", TEXT], () => problem(503, { detail: "busy" }));

  expect(end.exitCode).not.toBe(0);
  expect(end.stderr).toContain("busy");
});
