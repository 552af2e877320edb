import { expect, test } from "bun:test";
import { PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { checkExpectations } from "../../../../src/adapters/cli/run/check-expectations.ts";
import { failureLines } from "../../../../src/adapters/cli/run/failure-lines.ts";
import { LoggedBuffer } from "../../../../src/application/ring/logged-buffer.ts";
import type { Expectation } from "../../../../src/domain/expectation/expectation.ts";
import { readExpectation } from "../../../../src/domain/expectation/read-expectation.ts";
import { problemTotals } from "../../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import { describedRequests, SHOP } from "../../../support/requests/described-spans.ts";
import { NEVER, searchedRing } from "../../../support/running/searched-ring.ts";

async function linesOf(text: string, losses = {}): Promise<string[]> {
  const { buffer, arrivals, arrive } = searchedRing();
  arrive(...describedRequests(SHOP));
  const logged = new LoggedBuffer(buffer, new RecordingLogger());
  const [checked] = await checkExpectations(
    { buffer: logged, arrivals, problems: () => problemTotals(losses) },
    [readExpectation(text, 0n) as Expectation],
    { settleMs: 1, interrupted: NEVER },
  );
  return failureLines(checked!, 80, PLAIN);
}

test("a near miss is shown with what it has instead, in the tree around it", async () => {
  const lines = await linesOf("name=SELECT* under name='GET /order'");

  expect(lines.slice(0, 5)).toEqual([
    "seen: 0 spans",
    "nearest: SELECT orders (db)",
    "  expected under name='GET /order'; found under authorize, under GET /orders",
    "",
    `trace ab${"07".repeat(11)}00000001`,
  ]);
  expect(lines.slice(7)).toEqual([
    expect.stringMatching(/^ {2}GET \/orders +shop/),
    expect.stringMatching(/^ {2}└─ authorize +shop/),
    expect.stringMatching(/^→ {4}└─ SELECT orders +db/),
    "        TimeoutError",
  ]);
});

test("several spans alike are one near miss", async () => {
  const lines = await linesOf("kind=server & status=error & name=GET /order");

  expect(lines.slice(1, 4)).toEqual([
    "nearest: GET /orders (shop)",
    "  expected status=error; found unset",
    "  expected name=GET /order; found GET /orders",
  ]);
});

test("spans that should be absent are listed, and one is drawn in its tree", async () => {
  const [there, heading, row, fault, ...tree] = await linesOf("no error anywhere");

  expect(there).toBe("seen: 1 span");
  expect(heading).toStartWith("TIME ");
  expect(row).toContain("✗ SELECT orders");
  expect(fault).toEndWith("TimeoutError");
  expect(tree).toEqual([]);
});

test.each([
  {
    text: "all kind=server have http.route",
    seen: "seen: 2 spans, 1 of them without http.route",
    miss: "  expected http.route; found absent",
  },
  {
    text: "name=charge before name=authorize",
    seen: "seen: 1 span, 1 of them without name=charge before",
    miss: "  expected name=charge before it; found the first one 4us after it",
  },
])("wrong spans are counted, and each is explained: $text", async ({ text, seen, miss }) => {
  const lines = await linesOf(text);

  expect(lines[0]).toBe(seen);
  expect(lines[2]).toBe(miss);
});

test("an uncertain expectation is reported as uncertain", async () => {
  const lines = await linesOf("name=refund & count=0", { evicted: 1 });

  expect(lines).toEqual(["seen: 0 spans; spans that were lost may match too"]);
});
