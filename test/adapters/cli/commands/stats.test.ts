import { expect, test } from "bun:test";
import { exporterCounts } from "../../../support/fakes/exporter-counts.ts";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { forwardAnswer } from "../../../support/fakes/forward-answer.ts";
import { ledgerOf } from "../../../support/oracles/ledger-of.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";

stopFakeServersAfterEach();

const stats = (
  argv: readonly string[],
  answer: Answer,
  parts: CommandSurroundings & { readonly problems?: Answer } = {},
) => {
  const { problems = () => Response.json({ problems: [] }), ...surroundings } = parts;
  const answers: Answer = (request) => (request.path === "/api/stats" ? answer : problems)(request);
  return runAgainstFake(["stats", ...argv], answers, surroundings);
};

const LEDGER = ledgerOf({ received: 5, accepted: 5, buffered: 5 });
const STATS = {
  spans: LEDGER,
  bytes: LEDGER,
  capacity: { spans: 10, bytes: 1024 },
  sequence: { run_id: "3f9a0c5e7b21d804", first: 1, next: 6 },
  exporters: exporterCounts(),
  uptime_seconds: 1.5,
  version: "9.8.7",
};

test("in a pipe, stats prints the JSON of the API", async () => {
  const end = await stats([], () => Response.json(STATS));

  const requestLines = ["GET /api/stats", "GET /api/problems"];
  expect(end).toMatchObject({ exitCode: 0, stderr: "", requestLines });
  expect(end.stdout).toBe(`${JSON.stringify({ ...STATS, problems: [] })}\n`);
});

test("on a terminal, stats prints a table, and with --json the JSON of the API", async () => {
  const table = await stats([], () => Response.json(STATS), { columns: 80 });
  const json = await stats(["--json"], () => Response.json(STATS), { columns: 80 });

  expect(table.stdout).toStartWith(`spanring 9.8.7 at ${table.url}, up 1.50 s\n`);
  expect(table.stdout).toContain("\nbuffered            5       5 B\n");
  expect(JSON.parse(json.stdout)).toEqual({ ...STATS, problems: [] });
});

test("the table includes the state of forwarding", async () => {
  const answer = () => Response.json({ ...STATS, forward: forwardAnswer() });

  const table = await stats([], answer, { columns: 60 });
  const json = await stats(["--json"], answer, { columns: 60 });

  expect(table.stdout).toContain(
    "oldest buffered 1\nrun 3f9a0c5e7b21d804\n\nforwards to    grpcs://collector:4317\n",
  );
  expect(table.stdout.split("\n").filter((line) => line.length > 60)).toEqual([]);
  expect(JSON.parse(json.stdout)).toMatchObject({ ...STATS, forward: forwardAnswer() });
});

const PROBLEM = {
  protocol: "http",
  reason: "malformed",
  address: "10.0.0.7",
  count: 2,
  first: "2023-11-14T22:13:20.000Z",
  last: "2023-11-14T22:13:20.000Z",
  hint: "mend it",
};

test("problems are listed below the table and included in the JSON", async () => {
  const answer = () => Response.json(STATS);
  const problems = () => Response.json({ problems: [PROBLEM] });

  const table = await stats([], answer, { columns: 120, problems });
  const json = await stats(["--json"], answer, { problems });

  expect(table.stdout).toContain(
    "oldest buffered 1\nrun 3f9a0c5e7b21d804\n\nproblems, newest first\n",
  );
  expect(table.stdout).toContain("http from 10.0.0.7: 2 requests were not valid as Export");
  expect(table.stdout).toEndWith("\n  mend it\n");
  expect(JSON.parse(json.stdout)).toEqual({ ...STATS, problems: [PROBLEM] });
});

test.each([
  () => new Response("no"),
  () => Response.json({}),
  () => Response.json({ problems: [{ ...PROBLEM, last: "once" }] }),
])("an unexpected response with problems is an error", async (problems) => {
  const end = await stats([], () => Response.json(STATS), { columns: 80, problems });

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toContain("/api/problems is not a response of spanring's read API\n");
});

test.each([
  () => new Response("no"),
  () => Response.json(null),
  () => Response.json({ ...STATS, bytes: null }),
  () => Response.json({ ...STATS, uptime_seconds: "long" }),
  () => Response.json({ ...STATS, forward: { state: "connected" } }),
])("an unexpected response with statistics is an error", async (answer) => {
  const end = await stats([], answer, { columns: 80 });

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toContain("/api/stats is not a response of spanring's read API\n");
});
