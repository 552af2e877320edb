import { expect, test } from "bun:test";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fake-api.ts";
import { forwardAnswer } from "../../../support/forward-answer.ts";
import { runAgainstFake } from "../../../support/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/run-command-line.ts";

stopFakeServersAfterEach();

const stats = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["stats", ...argv], answer, parts);

const BOOKS = { received: 5, rejected: 0, accepted: 5, buffered: 5, taken: 0, evicted: 0 };
const STATS = {
  spans: BOOKS,
  bytes: BOOKS,
  capacity: { spans: 10, bytes: 1024 },
  sequence: { first: 1, next: 6 },
  uptime_seconds: 1.5,
  version: "9.8.7",
};

test("in a pipe it is the JSON of the API", async () => {
  const end = await stats([], () => Response.json(STATS));

  expect(end).toMatchObject({ exitCode: 0, stderr: "", asked: ["GET /api/stats"] });
  expect(end.stdout).toBe(`${JSON.stringify(STATS)}\n`);
});

test("on a terminal it is a table, and with --json the same JSON", async () => {
  const table = await stats([], () => Response.json(STATS), { columns: 80 });
  const json = await stats(["--json"], () => Response.json(STATS), { columns: 80 });

  expect(table.stdout).toStartWith(`spanring 9.8.7 at ${table.url}, up 1.50 s\n`);
  expect(table.stdout).toContain("\nbuffered       5       5 B\n");
  expect(JSON.parse(json.stdout)).toEqual(STATS);
});

test("of a server that forwards, the table tells on how that is going", async () => {
  const answer = () => Response.json({ ...STATS, forward: forwardAnswer() });

  const table = await stats([], answer, { columns: 60 });
  const json = await stats(["--json"], answer, { columns: 60 });

  expect(table.stdout).toContain("oldest buffered 1\n\nforwards to    grpcs://collector:4317\n");
  expect(table.stdout.split("\n").filter((line) => line.length > 60)).toEqual([]);
  expect(JSON.parse(json.stdout)).toEqual({ ...STATS, forward: forwardAnswer() });
});

test.each([
  () => new Response("no"),
  () => Response.json(null),
  () => Response.json({ ...STATS, bytes: null }),
  () => Response.json({ ...STATS, uptime_seconds: "long" }),
  () => Response.json({ ...STATS, forward: { state: "connected" } }),
])("an answer of another shape is told", async (answer) => {
  const end = await stats([], answer, { columns: 80 });

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toBe("spanring: the answer is not that of /api/stats\n");
});
