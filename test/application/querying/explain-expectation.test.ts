import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { evaluateExpectation } from "../../../src/application/querying/evaluate-expectation.ts";
import {
  explainExpectation,
  type Explanation,
} from "../../../src/application/querying/explain-expectation.ts";
import type { Expectation } from "../../../src/domain/expectation/expectation.ts";
import { readExpectation } from "../../../src/domain/expectation/read-expectation.ts";
import {
  type DescribedSpan,
  describedRequests,
  SHOP,
} from "../../support/requests/described-spans.ts";
import { searchedRing } from "../../support/running/searched-ring.ts";

async function explained(
  text: string,
  spans: readonly DescribedSpan[] = SHOP,
  isUnwanted = () => false,
): Promise<Explanation> {
  const { buffer, arrive } = searchedRing();
  arrive(...describedRequests(spans));
  const expectation = readExpectation(text, 0n) as Expectation;
  return await evaluateExpectation(buffer, expectation, (evaluation) =>
    explainExpectation(buffer, expectation, evaluation, isUnwanted),
  );
}

/** Returns the name of each near miss, and its differences as `condition: found`. */
function missesIn({ nearest }: Explanation): string[][] {
  return nearest.map(({ name, differences }) => [
    name,
    ...differences.map(({ condition, found }) => `${condition}: ${found}`),
  ]);
}

function namesAround({ around }: Explanation): string[] {
  if (around.sequences.length === 0) return [];
  return new ProtobufSpanCodec().decode(around.request).map(({ name }) => name);
}

// The nearest span differs in exactly these conditions, and has these values instead.
test.each([
  {
    text: "name=GET /order & kind=server",
    nearest: ["GET /orders", "name=GET /order: GET /orders"],
  },
  { text: "name=charg", nearest: ["charge", "name=charg: charge"] },
  { text: "name=GET /ordre*", nearest: ["GET /orders", "name=GET /ordre*: GET /orders"] },
  { text: "name=charge & service=till", nearest: ["charge", "service=till: shop"] },
  { text: "name=charge & kind=server", nearest: ["charge", "kind=server: client"] },
  { text: "name=charge & status=error", nearest: ["charge", "status=error: unset"] },
  { text: "name=charge & duration<1us", nearest: ["charge", "duration<1us: 1us"] },
  { text: "name=email & duration<1us", nearest: ["email", "duration<1us: unknown"] },
  { text: "name=charge & text=refund", nearest: ["charge", "text=refund: in none of its texts"] },
  {
    text: "name=charge & since=2023-01-01",
    nearest: ["charge", "since=2023-01-01: 1970-01-01T00:00:00.000Z"],
  },
  {
    text: "name=charge & span_id=cd01020300000009",
    nearest: ["charge", "span_id=cd01020300000009: cd01020300000004"],
  },
  {
    text: `name=charge & trace_id=${"ab".repeat(16)}`,
    nearest: ["charge", `trace_id=${"ab".repeat(16)}: ab${"07".repeat(11)}00000001`],
  },
  {
    text: "name='GET /orders' & http.route=/cart",
    nearest: ["GET /orders", "http.route=/cart: /orders"],
  },
  {
    text: "name='GET /orders' & http.response.status_code<500 & http.route=/cart*",
    nearest: ["GET /orders", "http.response.status_code<500: 500", "http.route=/cart*: /orders"],
  },
  { text: "name=charge & db.system", nearest: ["charge", "db.system: absent"] },
  {
    text: "kind=client & service=db & event=exception & exception.type=Other",
    nearest: [
      "SELECT orders",
      "event=exception & exception.type=Other: " +
        "retry without exception.type, exception exception.type=TimeoutError",
    ],
  },
  { text: "name=charge & event=exception", nearest: ["charge", "event=exception: no event"] },
  {
    text: "name=email & link=cd01020300000002",
    nearest: ["email", `link=cd01020300000002: ab${"07".repeat(11)}00000001/cd01020300000001`],
  },
  {
    text: "name=SELECT* under name='GET /order'",
    nearest: ["SELECT orders", "under name='GET /order': under authorize, under GET /orders"],
  },
  {
    text: "name=SELECT* directly under kind=server",
    nearest: ["SELECT orders", "directly under kind=server: under authorize"],
  },
  {
    text: "name='GET /health' under kind=server",
    nearest: ["GET /health", "under kind=server: no parent"],
  },
  {
    text: "name=email linked to name=charge",
    nearest: ["email", `linked to name=charge: ab${"07".repeat(11)}00000001/cd01020300000001`],
  },
  {
    text: "name=SELEKT under kind=server",
    nearest: ["SELECT orders", "name=SELEKT: SELECT orders"],
  },
  { text: "all kind=server have http.route", nearest: ["GET /health", "http.route: absent"] },
  {
    text: "all kind=client under kind=server have db.system & service=db",
    nearest: ["charge", "db.system: absent", "service=db: shop"],
  },
  {
    text: "name=charge before name=authorize",
    nearest: ["authorize", "name=charge before it: the first one 4us after it"],
  },
  {
    text: "name=charge before name=charge",
    nearest: ["charge", "name=charge before it: one at the same time"],
  },
  {
    text: "name=charge before name=email",
    nearest: ["email", "name=charge before it: none in its trace"],
  },
  { text: "name=charge before name=emali", nearest: ["email", "name=emali: email"] },
])("$text comes nearest to $nearest", async ({ text, nearest }) => {
  expect<unknown>(missesIn(await explained(text))[0]).toEqual(nearest);
});

test("too many spans are no near miss; one of them is shown", async () => {
  expect(missesIn(await explained("no error anywhere"))).toEqual([["SELECT orders"]]);
});

test("a parent that has not arrived is named as such", async () => {
  const orphan = { id: 2, name: "SELECT 1", parent: 9 };

  const misses = missesIn(await explained("name=SELECT* under kind=server", [orphan]));

  expect(misses).toEqual([["SELECT 1", "under kind=server: a parent that has not arrived"]]);
});

test("the spans that come first are looked for if none precedes in any trace", async () => {
  const misses = missesIn(await explained("name=autorize before name=charge"));

  expect(misses.map(([name]) => name).slice(0, 2)).toEqual(["charge", "authorize"]);
});

test("spans that differ in the same way count as one near miss", async () => {
  const spans = Array.from({ length: 100 }, (_, index) => ({
    id: index + 1,
    name: index === 7 ? "get /" : "poll",
    kind: 2,
  }));

  const { nearest } = await explained("name=GET / & kind=server", spans);

  expect(nearest.map(({ name, count }) => [name, count])).toEqual([
    ["get /", 1],
    ["poll", 99],
  ]);
});

test("the nearest of many names is kept, however many there are", async () => {
  const spans = Array.from({ length: 500 }, (_, index) => ({
    id: index + 1,
    name: index === 250 ? "chargee" : `step number ${index}`,
  }));

  const { nearest } = await explained("name=charge & service=shop", spans);

  expect(nearest[0]?.name).toBe("chargee");
  expect(nearest).toHaveLength(3);
});

test("a span that meets none of several conditions is not near", async () => {
  expect((await explained("name=refund & service=till")).nearest).toEqual([]);
});

test("a span comes with its ancestors, its siblings and its children", async () => {
  const trace = [
    { id: 1, name: "root" },
    { id: 2, name: "parent", parent: 1 },
    { id: 3, name: "uncle", parent: 1 },
    { id: 4, name: "wanted", parent: 2 },
    { id: 5, name: "sibling", parent: 2 },
    { id: 6, name: "child", parent: 4 },
    { id: 7, name: "cousin", parent: 3 },
  ];

  const around = namesAround(await explained("name=wanted & kind=server", trace));

  expect(around).toEqual(["root", "parent", "wanted", "sibling", "child"]);
});

test("what surrounds a span is limited, and parents may form a cycle", async () => {
  const cycle = [
    { id: 1, name: "a", parent: 2 },
    { id: 2, name: "b", parent: 1 },
  ];
  const children = Array.from({ length: 50 }, (_, index) => ({
    id: index + 10,
    name: "child",
    parent: 1,
  }));

  const around = namesAround(await explained("name=a & kind=server", [...cycle, ...children]));

  expect(around).toContain("b");
  expect(around).toHaveLength(2 + 12);
});

test("a search that is no longer wanted ends without near misses", async () => {
  const { nearest, around } = await explained("name=charg", SHOP, () => true);

  expect({ nearest, around: around.sequences }).toEqual({ nearest: [], around: [] });
});
