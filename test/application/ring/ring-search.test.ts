import { describe, expect, test } from "bun:test";
import { leaseOldest, settle } from "../../../src/application/ring/ring-lease.ts";
import {
  oldestUnixMs,
  visitSpans,
  SharedFields,
  takeOldest,
} from "../../../src/application/ring/ring-hand-over.ts";
import type { RingMemory } from "../../../src/application/ring/ring-memory.ts";
import type { SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";
import { put, ringOf } from "../../support/running/filled-ring.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { named } from "../../support/running/searched-ring.ts";
import type { SequenceRange } from "../../../src/ports/trace-buffer.ts";
import { locationsOf } from "../../support/requests/matched-spans.ts";
import { varintField } from "../../support/requests/wire-bytes.ts";

const ALL = { first: 1, next: 1_000 };

interface SearchOptions {
  readonly filter?: SpanFilter;
  readonly range?: SequenceRange;
  readonly newestFirst?: boolean;
  readonly limit?: number;
}

function found(ring: RingMemory, options: SearchOptions = {}): number[] {
  const { filter = [], range = ALL, newestFirst = false, limit = 1_000 } = options;
  const sequences: number[] = [];
  const search = { matcher: compileFilter(filter), range, newestFirst };
  visitSpans(ring, search, (sequence) => sequences.push(sequence) < limit);
  return sequences;
}

function trace(number: number): SpanFilter {
  return [{ on: "trace_id", value: Buffer.from(traceId(number)).toString("hex") }];
}

/** Returns a ring of spans 1 to 7, the last two of which reuse the slots of the first two. */
function wrappedRing(): RingMemory {
  const ring = ringOf({ spans: 5, bytes: 10_000 }, requestOf(3, 1));
  put(ring, requestOf(4, 4));
  return ring;
}

describe("a ring that has wrapped is visited", () => {
  test.each<{ name: string; options: SearchOptions; sequences: number[] }>([
    { name: "oldest first", options: {}, sequences: [3, 4, 5, 6, 7] },
    { name: "newest first", options: { newestFirst: true }, sequences: [7, 6, 5, 4, 3] },
    { name: "in a range", options: { range: { first: 4, next: 6 } }, sequences: [4, 5] },
    { name: "in a range that is gone", options: { range: { first: 1, next: 3 } }, sequences: [] },
    { name: "in a future range", options: { range: { first: 8, next: 99 } }, sequences: [] },
    { name: "in an empty range", options: { range: { first: 5, next: 5 } }, sequences: [] },
    { name: "until the limit", options: { limit: 2 }, sequences: [3, 4] },
    {
      name: "until the limit, newest first",
      options: { limit: 2, newestFirst: true },
      sequences: [7, 6],
    },
    { name: "by name", options: { filter: named("span 6") }, sequences: [6] },
    { name: "by trace", options: { filter: trace(5) }, sequences: [5] },
    {
      name: "by trace, newest first",
      options: { filter: trace(3), newestFirst: true },
      sequences: [3],
    },
    { name: "by a trace that is gone", options: { filter: trace(2) }, sequences: [] },
  ])("$name", ({ options, sequences }) => {
    expect(found(wrappedRing(), options)).toEqual(sequences);
  });
});

test("an empty ring has no spans to visit in either direction", () => {
  const ring = ringOf({ spans: 5, bytes: 10_000 });

  expect([found(ring), found(ring, { newestFirst: true })]).toEqual([[], []]);
});

test("taken spans are not visited", () => {
  const ring = ringOf({ spans: 9, bytes: 10_000 }, requestOf(4));
  takeOldest(ring, 2);

  expect(found(ring)).toEqual([3, 4]);
});

test("a visitor receives the location of a span and its resource, and its trace's tail", () => {
  const ring = ringOf({ spans: 9, bytes: 10_000 }, requestOf(2));
  const seen: string[] = [];
  const search = { matcher: compileFilter(named("span 2")), range: ALL, newestFirst: false };

  visitSpans(ring, search, (_, place) => {
    const { bytes, spanOffset, spanLength, resourceOffset, resourceLength, traceTail } = place;
    const own = bytes.slice(spanOffset, spanOffset + spanLength);
    const resource = bytes.slice(resourceOffset, resourceOffset + resourceLength);
    seen.push(Buffer.from(own).toString("latin1"), Buffer.from(resource).toString("latin1"));
    seen.push(traceTail.toString(16));
    return true;
  });

  expect(seen[0]).toEndWith("span 2");
  expect(seen[1]).toContain("service.name");
  expect(seen[1]).toContain(seen[0]!);
  expect(seen[2]).toBe("2000000");
});

test("leased spans are found, and delivered ones are not", () => {
  const ring = ringOf({ spans: 10, bytes: 10_000 }, requestOf(4));
  const leased = leaseOldest(ring, { spans: 3, bytes: 1_000 })!;

  settle(ring, leased, { first: 1, end: 2 }, "delivered");

  expect(found(ring)).toEqual([1, 3, 4]);
  expect(found(ring, { newestFirst: true })).toEqual([4, 3, 1]);
});

test.each<{ name: string; filter: SpanFilter }>([
  { name: "service", filter: [{ on: "service", value: "shop" }] },
  {
    name: "attribute of the resource",
    filter: [{ on: "attribute", key: "service.name", value: "shop" }],
  },
])("a search by $name reads the resource that has overwritten another one", ({ filter }) => {
  const shop = request(resourceSpans("shop", span(1)));
  const cart = request(resourceSpans("cart", span(2)));
  const ring = ringOf({ spans: 9, bytes: shop.length }, shop);
  const [matcher, sequences] = [compileFilter(filter), [] as number[]];
  const search = { matcher, range: ALL, newestFirst: false };
  const searchOnce = () => visitSpans(ring, search, (sequence) => sequences.push(sequence) > 0);

  searchOnce();
  put(ring, cart);
  searchOnce();
  put(ring, shop);
  searchOnce();

  expect(sequences).toEqual([1, 3]);
});

test("the time of the oldest span is when its request was received", () => {
  const ring = ringOf({ spans: 4, bytes: 10_000 });
  const times = [oldestUnixMs(ring)];
  const observe = (change: () => void) => {
    change();
    times.push(oldestUnixMs(ring));
  };

  observe(() => put(ring, requestOf(2), { unixMs: 1_000 }));
  observe(() => put(ring, requestOf(2, 3), { unixMs: 2_000 }));
  observe(() => takeOldest(ring, 1));
  observe(() => put(ring, requestOf(2, 5), { unixMs: 3_000 }));
  const leased = leaseOldest(ring, { spans: 2, bytes: 1_000 })!;
  observe(() => takeOldest(ring, 9));
  observe(() => settle(ring, leased, { first: 0, end: 2 }, "delivered"));

  expect(times).toEqual([undefined, 1_000, 1_000, 1_000, 2_000, 2_000, undefined]);
});

const kindsOf = (...kinds: number[]) =>
  request(resourceSpans("shop", ...kinds.map((kind) => span(1, varintField(6, kind)))));

test("each span has its own fields, however often they are requested", () => {
  const fields = new SharedFields();
  const [one, other] = locationsOf(kindsOf(1, 2));

  const kinds = [one!, one!, other!, one!].map((place) => fields.of(place).kind);

  expect(kinds).toEqual([1, 1, 2, 1]);
});

test("the fields are read again after a reset", () => {
  const fields = new SharedFields();
  const [before] = locationsOf(kindsOf(1));
  const first = fields.of(before!).kind;
  const [after] = locationsOf(kindsOf(2));

  fields.reset();

  expect([first, fields.of(after!).kind]).toEqual([1, 2]);
});
