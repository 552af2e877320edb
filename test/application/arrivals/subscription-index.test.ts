import { describe, expect, test } from "bun:test";
import { SubscriptionIndex } from "../../../src/application/arrivals/subscription-index.ts";
import { MAX_FOUND_TOGETHER } from "../../../src/application/arrivals/filter-index.ts";
import type { SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { named, searchedRing } from "../../support/running/searched-ring.ts";
import { traceHex, tracedRequests } from "../../support/requests/traced-requests.ts";
import { attribute, request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const SPANS = tracedRequests(
  { trace: 1, name: "GET /", service: "shop" },
  { trace: 2, name: "GET /", service: "cart" },
  { trace: 1, name: "pay", service: "till", isError: true },
);

interface Showing {
  readonly filters: readonly SpanFilter[];
  readonly arePlain?: boolean;
}

function shown({ filters, arePlain = true }: Showing): number[][] {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS);
  const index = new SubscriptionIndex();
  const received: number[][] = filters.map(() => []);
  for (const [at, filter] of filters.entries()) {
    index.add(filter, (sequences) => received[at]!.push(...sequences));
  }
  index.show(buffer, { ...buffer.range(), arePlain });
  return received;
}

const ofTrace = (trace: number): SpanFilter => [{ on: "trace_id", value: traceHex(trace) }];
const ofService = (value: string): SpanFilter => [{ on: "service", value }];
const withAttribute = (value: string): SpanFilter => [
  { on: "attribute", key: "service.name", value },
];
const withStatus = (value: number): SpanFilter => [{ on: "status", value }];

describe("each subscriber is called with its matches", () => {
  test.each<{ name: string; filter: SpanFilter; sequences: number[] }>([
    { name: "by trace", filter: ofTrace(1), sequences: [1, 3] },
    { name: "by name", filter: named("GET /"), sequences: [1, 2] },
    { name: "by service", filter: ofService("cart"), sequences: [2] },
    { name: "by an attribute of the resource", filter: withAttribute("till"), sequences: [3] },
    { name: "by a condition without a key", filter: withStatus(2), sequences: [3] },
    { name: "without a condition", filter: [], sequences: [1, 2, 3] },
    { name: "by several at once", filter: [...ofTrace(1), ...named("pay")], sequences: [3] },
    {
      name: "by unmet conditions",
      filter: [...ofTrace(2), ...named("pay")],
      sequences: [],
    },
  ])("$name", ({ filter, sequences }) => {
    expect(shown({ filters: [filter] })).toEqual([sequences]);
    expect(shown({ filters: [filter], arePlain: false })).toEqual([sequences]);
  });
});

test("many filters match the same spans", () => {
  const filters = [ofTrace(2), named("pay"), ofService("shop"), [], ofTrace(2), named("pay")];

  expect(shown({ filters })).toEqual([[2], [3], [1], [1, 2, 3], [2], [3]]);
});

test("a span with two names is matched by its last name", () => {
  const { buffer, arrive } = searchedRing();
  arrive(request(resourceSpans("shop", span(1, bytesField(5, "second name")))));
  const index = new SubscriptionIndex();
  const received: string[] = [];
  index.add(named("span 1"), () => received.push("first name"));
  index.add(named("second name"), () => received.push("second name"));

  index.show(buffer, { ...buffer.range(), arePlain: false });

  expect(received).toEqual(["second name"]);
});

test("a show does not repeat the spans of the previous one", () => {
  const { buffer, arrive } = searchedRing();
  const index = new SubscriptionIndex();
  const received: (readonly number[])[] = [];
  index.add(named("GET /"), (sequences) => received.push(sequences));

  arrive(SPANS[0]!);
  index.show(buffer, { first: 1, next: 2, arePlain: true });
  arrive(SPANS[1]!);
  index.show(buffer, { first: 2, next: 3, arePlain: true });

  expect(received).toEqual([[1], [2]]);
});

test("a resource at the offset of an earlier one is matched by its own content", () => {
  const { buffer, arrive } = searchedRing();
  const index = new SubscriptionIndex();
  const received: (readonly number[])[] = [];
  index.add([...named("GET /"), ...ofService("shop")], (sequences) => received.push(sequences));

  for (const spans of SPANS.slice(0, 2)) {
    arrive(spans);
    index.show(buffer, { ...buffer.range(), arePlain: true });
    buffer.clear();
  }

  expect(received).toEqual([[1]]);
});

test.each<{ name: string; filter: SpanFilter }>([
  { name: "by trace", filter: ofTrace(1) },
  { name: "by name", filter: named("GET /") },
  { name: "by service", filter: ofService("shop") },
  { name: "without a condition", filter: [] },
])("a removed subscriber is not called, and its neighbour is: $name", ({ filter }) => {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS);
  const index = new SubscriptionIndex();
  const received: string[] = [];
  const remove = index.add(filter, () => received.push("removed"));
  const removeOther = index.add(filter, () => received.push("other"));

  remove?.();
  index.show(buffer, { ...buffer.range(), arePlain: true });
  const sizes = [index.size];
  removeOther?.();
  sizes.push(index.size);
  index.show(buffer, { ...buffer.range(), arePlain: true });

  expect(received).toEqual(["other"]);
  expect(sizes).toEqual([1, 0]);
});

test("a subscriber is called once for an attribute that a span has twice", () => {
  const { buffer, arrive } = searchedRing();
  const twice = bytesField(9, attribute("k", "a"));
  arrive(request(resourceSpans("shop", span(1, twice, twice), span(2, twice))));
  const index = new SubscriptionIndex();
  const received: number[] = [];
  index.add([{ on: "attribute", key: "k", value: "a" }], (sequences) =>
    received.push(...sequences),
  );

  index.show(buffer, { ...buffer.range(), arePlain: true });

  expect(received).toEqual([1, 2]);
});

test("a full index accepts filters equal to stored ones and refuses others", () => {
  const index = new SubscriptionIndex();
  const subscribe = (value: number) => index.add(withStatus(value), () => {});
  for (let value = 0; value < MAX_FOUND_TOGETHER; value += 1) subscribe(value);

  const same = Array.from({ length: 1_000 }, () => subscribe(0));
  const other = subscribe(MAX_FOUND_TOGETHER);
  const size = index.size;
  for (const unsubscribe of same) unsubscribe?.();
  const stillNone = subscribe(MAX_FOUND_TOGETHER);

  expect(same.every((unsubscribe) => unsubscribe !== undefined)).toBe(true);
  expect([other, stillNone]).toEqual([undefined, undefined]);
  expect([size, index.size]).toEqual([1_000 + MAX_FOUND_TOGETHER, MAX_FOUND_TOGETHER]);
});

test.each<{ name: string; filter: SpanFilter }>([
  { name: "by trace", filter: ofTrace(1) },
  { name: "by name", filter: named("GET /") },
  { name: "by attribute", filter: withAttribute("till") },
  { name: "by service", filter: ofService("shop") },
  { name: "without a condition", filter: [] },
])("a full index has room again after its subscribers are removed: $name", ({ filter }) => {
  const index = new SubscriptionIndex();
  const subscribe = (value: number) => index.add([...filter, ...withStatus(value)], () => {});
  // Half of them are stored under their key, and half under none.
  const room = filter.length === 0 ? MAX_FOUND_TOGETHER : 2 * MAX_FOUND_TOGETHER;
  const all = Array.from({ length: room }, (_, value) => subscribe(value));
  const oneTooMany = subscribe(room);

  for (const unsubscribe of all) unsubscribe?.();
  const others = Array.from({ length: room }, (_, value) => subscribe(room + value));

  expect(oneTooMany).toBeUndefined();
  expect(others.every((unsubscribe) => unsubscribe !== undefined)).toBe(true);
});

test("a filter can be subscribed to again", () => {
  const { buffer, arrive } = searchedRing();
  arrive(...SPANS);
  const index = new SubscriptionIndex();
  const received: number[] = [];
  index.add(named("pay"), () => {})?.();

  index.add(named("pay"), (sequences) => received.push(...sequences));
  index.show(buffer, { ...buffer.range(), arePlain: true });

  expect(received).toEqual([3]);
});

test("a subscriber added during a show is not called with the spans of that show", () => {
  const { buffer, arrive } = searchedRing();
  arrive(SPANS[0]!);
  const index = new SubscriptionIndex();
  const received: string[] = [];
  index.add([], () => {
    received.push("first");
    index.add([], () => received.push("second"));
  });

  index.show(buffer, { ...buffer.range(), arePlain: true });

  expect(received).toEqual(["first"]);
});
