import { expect, test } from "bun:test";
import { SEQUENCE } from "../../../support/fakes/api-answers.ts";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";

stopFakeServersAfterEach();

const TERMINAL = { columns: 80 };
const LEDGER = {
  received: 5,
  rejected: 0,
  accepted: 5,
  buffered: 5,
  taken: 0,
  delivered: 0,
  evicted: 0,
  undeliverable: 0,
};
const LAST_SEEN = "2025-07-20T08:26:40.123Z";
const SHOP = { service: "shop", spans: LEDGER, bytes: LEDGER, lastSeen: LAST_SEEN };
const GET = {
  service: "shop",
  name: "GET /",
  spans: 5,
  errors: 1,
  spansPerSecond: 2.5,
  p50Nano: 1_000,
  p95Nano: 1_000,
  p99Nano: 1_000,
  lastSeen: LAST_SEEN,
};

const SERVICES = { services: [SHOP, { ...SHOP, service: "till" }], sequence: SEQUENCE };
const OPERATIONS = { operations: [GET], otherSpans: 0, periodSeconds: 2, sequence: SEQUENCE };

const json =
  (body: object): Answer =>
  () =>
    Response.json(body);

test.each([
  { argv: ["services"], body: SERVICES, items: SERVICES.services, heading: "SERVICE  BUFFERED" },
  { argv: ["operations"], body: OPERATIONS, items: [GET], heading: "SERVICE  OPERATION  SPANS" },
])("$argv prints a table, lines in a pipe, or JSON", async ({ argv, body, items, heading }) => {
  const shown = await runAgainstFake(argv, json(body), TERMINAL);
  const piped = await runAgainstFake(argv, json(body));
  const asked = await runAgainstFake([...argv, "--json"], json(body), TERMINAL);

  expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
  expect(shown.stdout).toStartWith(heading);
  expect(shown.requestLines).toEqual([`GET /api/${argv[0]}`]);
  expect(piped.stdout).toBe(items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  expect(JSON.parse(asked.stdout)).toEqual(body);
});

test.each([
  { argv: ["services"], body: { ...SERVICES, services: [] }, says: "no service has sent a span" },
  {
    argv: ["operations"],
    body: { ...OPERATIONS, operations: [] },
    says: "no buffered span matches",
  },
])("$argv reports an empty list, with exit code 1", async ({ argv, body, says }) => {
  for (const parts of [TERMINAL, {}]) {
    const end = await runAgainstFake(argv, json(body), parts);

    expect(end).toMatchObject({ exitCode: 1, stdout: "", stderr: `spanring: ${says}\n` });
  }
});

test("operations are filtered, and those that are not listed are reported", async () => {
  const answer = json({ ...OPERATIONS, otherSpans: 1 });

  const end = await runAgainstFake(["operations", "--name-contains", "get"], answer, TERMINAL);

  expect(end.requestLines).toEqual(["GET /api/operations?name_contains=get"]);
  expect(end.stderr).toBe("spanring: 1 span of further operations are not listed; use a filter\n");
});
