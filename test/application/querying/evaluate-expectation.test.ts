import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  type Evaluation,
  evaluateExpectation,
} from "../../../src/application/querying/evaluate-expectation.ts";
import type { Expectation } from "../../../src/domain/expectation/expectation.ts";
import { readExpectation } from "../../../src/domain/expectation/read-expectation.ts";
import {
  type ConnectedSpan,
  connectedRequests,
  connectedSpans,
} from "../../support/requests/connected-spans.ts";
import {
  type DescribedSpan,
  describedRequests,
  SHOP,
} from "../../support/requests/described-spans.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { searchedRing } from "../../support/running/searched-ring.ts";

async function evaluated(
  buffer: ReturnType<typeof searchedRing>["buffer"],
  text: string,
): Promise<Omit<Evaluation, "rows">> {
  const expectation = readExpectation(text, 0n) as Expectation;
  return await evaluateExpectation(buffer, expectation, (evaluation) => ({
    ...evaluation,
    rows: undefined,
  }));
}

function ringOf(spans: readonly DescribedSpan[]) {
  const ring = searchedRing();
  ring.arrive(...describedRequests(spans));
  return ring.buffer;
}

test.each([
  { text: "name=GET*", verdict: "met", found: 2 },
  { text: "name=GET* & count=1..2", verdict: "met", found: 2 },
  { text: "name=GET* & count=3..9", verdict: "missing", found: 2 },
  { text: "name=GET* & count=1", verdict: "broken", found: 2 },
  { text: "http.route=/ord*", verdict: "met", found: 1 },
  { text: "http.route=/cart*", verdict: "missing", found: 0 },
  { text: "http.response.status_code>=500", verdict: "met", found: 1 },
  { text: "http.response.status_code<500", verdict: "missing", found: 0 },
  { text: "duration<=1us & count=4", verdict: "met", found: 4 },
  { text: "duration<1us & count=1", verdict: "met", found: 1 },
  { text: "name=charge & duration>1us", verdict: "missing", found: 0 },
  { text: "event=exception & exception.type=TimeoutError", verdict: "met", found: 1 },
  { text: "event=exc* & exception.type=Time*", verdict: "met", found: 1 },
  // The attributes are those of one event, not of several.
  { text: "event=retry & exception.type=TimeoutError", verdict: "missing", found: 0 },
  { text: "event=retry & retry.count>1 & event=exception", verdict: "met", found: 1 },
  { text: "event=exception & exception.type=OtherError", verdict: "missing", found: 0 },
  { text: "event & exception.type", verdict: "met", found: 1 },
  { text: "event=stop", verdict: "missing", found: 0 },
  { text: "link=*", verdict: "met", found: 1 },
  { text: "link=cd01020300000001 & link.kind=follows", verdict: "met", found: 1 },
  { text: "link=cd01020300000002", verdict: "missing", found: 0 },
  { text: `link=ab${"07".repeat(11)}00000001`, verdict: "met", found: 1 },
  { text: "link & link.kind=child", verdict: "missing", found: 0 },
  { text: "name=SELECT* under name='GET /orders'", verdict: "met", found: 1 },
  { text: "name=SELECT* directly under name=authorize", verdict: "met", found: 1 },
  { text: "name=SELECT* directly under name='GET /orders'", verdict: "missing", found: 0 },
  { text: "name=SELECT* under name=authorize under kind=server", verdict: "met", found: 1 },
  { text: "name=SELECT* under name=authorize under kind=client", verdict: "missing", found: 0 },
  { text: "kind=client under name='GET /orders' & count=2", verdict: "met", found: 2 },
  { text: "kind=client under name='GET /orders' & count=1", verdict: "broken", found: 2 },
  { text: "name=charge under name=charge", verdict: "missing", found: 0 },
  { text: "name=email linked to name='GET /orders'", verdict: "met", found: 1 },
  { text: "name=email linked to name=charge", verdict: "missing", found: 0 },
  { text: "name=charge linked to name='GET /orders'", verdict: "missing", found: 0 },
  { text: "all kind=client have duration<=1us", verdict: "met", found: 2 },
  { text: "all kind=server have http.route", verdict: "broken", found: 2, wrong: 1 },
  {
    text: "all kind=client under kind=server have db.system",
    verdict: "broken",
    found: 2,
    wrong: 1,
  },
  { text: "all name=nothing have http.route", verdict: "missing", found: 0 },
  { text: "all name=nothing have http.route & count>=0", verdict: "met", found: 0 },
  { text: "name=authorize before name=charge", verdict: "met", found: 1 },
  { text: "name=charge before name=authorize", verdict: "missing", found: 1, wrong: 1 },
  { text: "name=charge before name=charge", verdict: "missing", found: 1, wrong: 1 },
  { text: "name=authorize before name=email", verdict: "missing", found: 1, wrong: 1 },
  { text: "name=authorize before name=refund", verdict: "missing", found: 0 },
  { text: "name=SELECT* under kind=server before name=charge", verdict: "met", found: 1 },
  { text: "no error anywhere", verdict: "broken", found: 1 },
  { text: "name=retry & count=0", verdict: "met", found: 0 },
  { text: "text=timeouterror & count=1", verdict: "met", found: 1 },
  { text: "text=timeouterror under text=orders", verdict: "met", found: 1 },
])("$text is $verdict, with $found found", async ({ text, verdict, found, wrong = 0 }) => {
  const evaluation = await evaluated(ringOf(SHOP), text);

  expect(evaluation as unknown).toMatchObject({ verdict, found, wrong });
});

test("the newest spans are shown: the wrong ones or, without any, those found", async () => {
  const buffer = ringOf(SHOP);

  const lacking = await evaluated(buffer, "all kind=server have http.route");
  const found = await evaluated(buffer, "name=GET*");
  const early = await evaluated(buffer, "name=charge before name=authorize");

  expect(lacking.newest).toEqual([5]);
  expect(found.newest).toEqual([5, 1]);
  expect(early).toMatchObject({ newest: [2], gapsNano: [4_000n] });
});

test("spans without a start neither precede nor follow others", async () => {
  const spans = [
    { id: 1, name: "a" },
    { id: 2, name: "b", startNano: 5n },
    { id: 3, name: "c", startNano: 5n },
  ];
  const texts = ["name=a before name=b", "name=b before name=a", "name=b before name=c"];

  const verdicts = texts.map(async (text) => (await evaluated(ringOf(spans), text)).verdict);

  expect(await Promise.all(verdicts)).toEqual(["missing", "missing", "missing"]);
});

test("spans that are evicted during an evaluation do not count", async () => {
  const ring = searchedRing({ spans: 10, bytes: 1 << 16 });
  ring.arrive(...describedRequests(SHOP));

  const evaluating = evaluated(ring.buffer, "name=SELECT* under name='GET /orders'");
  ring.arrive(requestOf(9, 20));

  expect(await evaluating).toMatchObject({ verdict: "missing", found: 0 });
});

// Goal: relations are those of a plain search from span to span, in any graph, cycles included.
const key = ({ trace }: ConnectedSpan, id: number) => `${trace}/${id}`;

function plainlyFound(spans: readonly ConnectedSpan[], relation: string, target: string): number {
  const byId = new Map(spans.toReversed().map((span) => [key(span, span.id), span]));
  const parentOf = (span: ConnectedSpan) =>
    span.parent === undefined ? undefined : byId.get(key(span, span.parent));
  const isTarget = (span: ConnectedSpan | undefined) => span?.name === target;
  const isUnder = (span: ConnectedSpan) => {
    let at = parentOf(span);
    for (let steps = 0; at !== undefined && steps < spans.length; steps += 1) {
      if (isTarget(at)) return true;
      at = parentOf(at);
    }
    return false;
  };
  const tests: Record<string, (span: ConnectedSpan) => boolean> = {
    under: isUnder,
    "directly under": (span) => isTarget(parentOf(span)),
    "linked to": (span) => span.links.some((id) => isTarget(byId.get(key(span, id)))),
  };
  return spans.filter(({ name }) => name === "pay").filter(tests[relation]!).length;
}

test.each(["under", "directly under", "linked to"])(
  "%s agrees with a plain search in any graph",
  async (relation) => {
    await fc.assert(
      fc.asyncProperty(connectedSpans, async (spans) => {
        const { buffer, arrive } = searchedRing();
        arrive(...connectedRequests(spans));

        const { found } = await evaluated(buffer, `name=pay ${relation} name='GET /'`);

        expect(found).toBe(plainlyFound(spans, relation, "GET /"));
      }),
      { numRuns: 150 },
    );
  },
);

function plainlyEarly(spans: readonly ConnectedSpan[]): number {
  const later = spans.filter(({ name }) => name === "pay");
  return later.filter(
    (span) =>
      !spans.some(
        ({ name, trace, startNano }) =>
          name === "GET /" && trace === span.trace && startNano > 0n && startNano < span.startNano,
      ),
  ).length;
}

test("before agrees with a plain search in any traces", async () => {
  await fc.assert(
    fc.asyncProperty(connectedSpans, async (spans) => {
      const { buffer, arrive } = searchedRing();
      arrive(...connectedRequests(spans));

      const { wrong } = await evaluated(buffer, "name='GET /' before name=pay");

      expect(wrong).toBe(plainlyEarly(spans));
    }),
    { numRuns: 150 },
  );
});

test("a chain of 10,000 parents is followed to its root", async () => {
  const { buffer, arrive } = searchedRing({ spans: 10_000, bytes: 1 << 22 });
  const chain = Array.from({ length: 10_000 }, (_, index) => ({
    id: index + 1,
    name: index === 0 ? "root" : "step",
    ...(index === 0 ? {} : { parent: index }),
  }));
  arrive(...describedRequests(chain));

  expect(await evaluated(buffer, "name=step under name=root & count=9999")).toMatchObject({
    verdict: "met",
    found: 9_999,
  });
});

test("a comparison that fails does not prevent the next one", async () => {
  const buffer = ringOf(SHOP);
  const expectation = readExpectation("name=* under name='GET /orders'", 0n) as Expectation;
  const failing = evaluateExpectation(buffer, expectation, () => {
    throw new Error("no longer wanted");
  });
  const next = evaluateExpectation(buffer, expectation, ({ verdict }) => verdict);

  expect(failing).rejects.toThrow("no longer wanted");
  expect(await next).toBe("met");
});
