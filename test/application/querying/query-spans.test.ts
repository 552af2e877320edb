import { describe, expect, test } from "bun:test";
import {
  countSpans,
  joinedSpans,
  querySpanParts,
  querySpans,
  type SpanQuery,
} from "../../../src/application/querying/query-spans.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import { named, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const EVERY: SpanQuery = { filter: [], after: 0, limit: 100_000, newestFirst: false };

describe("a query over six spans in two requests", () => {
  test.each<{ name: string; query: Partial<SpanQuery>; sequences: number[]; next?: number }>([
    { name: "all spans", query: {}, sequences: [1, 2, 3, 4, 5, 6] },
    { name: "newest first", query: { newestFirst: true }, sequences: [6, 5, 4, 3, 2, 1] },
    { name: "spans with a name", query: { filter: named("span 5") }, sequences: [5] },
    { name: "no span with an unknown name", query: { filter: named("no") }, sequences: [] },
    { name: "spans after a sequence", query: { after: 4 }, sequences: [5, 6] },
    { name: "no span after the last sequence", query: { after: 6 }, sequences: [] },
    { name: "the oldest two", query: { limit: 2 }, sequences: [1, 2] },
    { name: "the newest two", query: { limit: 2, newestFirst: true }, sequences: [6, 5] },
  ])("returns $name", async ({ query, sequences }) => {
    const { buffer, arrive } = searchedRing();
    arrive(requestOf(3, 1), requestOf(3, 4));

    const answer = await querySpans(buffer, { ...EVERY, ...query });

    expect(answer.sequences).toEqual(sequences);
  });
});

test("complete requests are returned as received", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(3, 1), requestOf(2, 4));

  const answer = await querySpans(buffer, EVERY);

  expect(answer.request.toHex()).toBe(requestOf(3, 1).toHex() + requestOf(2, 4).toHex());
});

test("a single span is returned with its resource and scope", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(3, 1));

  const answer = await querySpans(buffer, { ...EVERY, filter: named("span 2") });

  expect(answer.request.length).toBeLessThan(requestOf(3, 1).length);
  expect(Buffer.from(answer.request).toString("latin1")).toContain("span 2");
  expect(Buffer.from(answer.request).toString("latin1")).toContain("shop");
});

test("the next query continues after the range of a limited answer", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(9));

  const first = await querySpans(buffer, { ...EVERY, limit: 4 });
  const second = await querySpans(buffer, { ...EVERY, after: first.range.next - 1 });

  expect([...first.sequences, ...second.sequences]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("spans evicted during a query are outside its range, and all others are found", async () => {
  const { buffer, arrive } = searchedRing({ spans: 6_000, bytes: 1 << 22 });
  arrive(requestOf(6_000));

  const pending = querySpans(buffer, EVERY);
  await nextTurn();
  arrive(requestOf(5_000));
  const { sequences, range } = await pending;

  expect(range.first).toBeGreaterThan(1);
  expect(range.next).toBe(6_001);
  const within = sequences.filter((sequence) => sequence >= range.first);
  expect(within).toEqual(
    Array.from({ length: range.next - range.first }, (_, at) => range.first + at),
  );
});

test("several answers are joined in order", () => {
  const parts = [
    { request: Uint8Array.of(1), sequences: [7] },
    { request: Uint8Array.of(2, 3), sequences: [9, 8] },
  ];

  expect(joinedSpans(parts)).toEqual({ request: Uint8Array.of(1, 2, 3), sequences: [7, 9, 8] });
});

test.each([
  { name: "all, of which the newest few are shown", filter: [], count: 9, newest: [9, 8, 7, 6, 5] },
  { name: "those that match", filter: named("span 3"), count: 1, newest: [3] },
  { name: "none that matches", filter: named("no"), count: 0, newest: [] },
  { name: "those after a sequence", filter: [], after: 7, count: 2, newest: [9, 8] },
])("spans are counted: $name", async ({ filter, after, count, newest }) => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(9));

  const counted = await countSpans(buffer, filter, after);

  expect(counted.count).toBe(count);
  expect(counted.newest.sequences).toEqual(newest);
});

test("counting stops when it is cancelled", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(5_000));
  let [checks, scans] = [0, 0];
  const watched = {
    range: buffer.range.bind(buffer),
    copy: buffer.copy.bind(buffer),
    visit: (...search: Parameters<typeof buffer.visit>) => {
      scans += 1;
      buffer.visit(...search);
    },
  };

  await countSpans(watched, [], 0, () => (checks += 1) > 1);

  expect(scans).toBe(1);
});

test("large spans are copied in parts of about a megabyte, in several turns", async () => {
  const { buffer, arrive } = searchedRing({ spans: 2_000, bytes: 1 << 24 });
  const padding = bytesField(3, "p".repeat(20_000));
  const spans = Array.from({ length: 100 }, (_, at) => span(at + 1, padding));
  for (let sent = 0; sent < 6; sent += 1) arrive(request(resourceSpans("shop", ...spans)));

  const { parts, range } = await querySpanParts(buffer, EVERY);
  const sizes = parts.slice(1).map((part) => part.request.length);

  expect(Math.max(...sizes)).toBeLessThan(2 ** 20 * 1.1);
  expect(parts.flatMap(({ sequences }) => sequences)).toHaveLength(600);
  expect(range).toEqual({ first: 1, next: 601 });
});
