import { expect, test } from "bun:test";
import { evictBefore, evictOldestBlock } from "../../../src/application/ring/ring-removal.ts";
import {
  openRingMemory,
  MAX_NAME_BYTES,
  MAX_SERVICES,
} from "../../../src/application/ring/ring-memory.ts";
import { takeOldest } from "../../../src/application/ring/ring-hand-over.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import { readServices } from "../../../src/application/ring/ring-services.ts";
import { AssertionError } from "../../../src/domain/assert.ts";
import type { Ledger } from "../../../src/domain/ledger.ts";
import { put, rejectedOf, ringOf } from "../../support/running/filled-ring.ts";
import { request, resourceSpans, span, spanBody } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const ROOMY = { spans: 100, bytes: 100_000 };
const SPAN_BYTES = spanBody(1).length;

function of(service: string, ...numbers: number[]): number[] {
  return resourceSpans(service, ...numbers.map((number) => span(number)));
}

test("a service has its own ledger, in spans and in bytes", () => {
  const ring = ringOf(ROOMY, request(of("shop", 1, 2), of("cart", 3)), request(of("shop", 4)));

  takeOldest(ring, 1);

  const [shop, cart] = readServices(ring);
  expect(shop).toMatchObject({ service: "shop", spans: { accepted: 3, buffered: 2, taken: 1 } });
  expect(shop?.bytes).toMatchObject({ accepted: 3 * SPAN_BYTES, buffered: 2 * SPAN_BYTES });
  expect(cart).toMatchObject({ service: "cart", spans: { received: 1, buffered: 1, taken: 0 } });
});

test("what makes room is evicted from the service it came from", () => {
  const ring = ringOf({ spans: 3, bytes: 10_000 }, request(of("shop", 1), of("cart", 2, 3)));

  put(ring, request(of("till", 4, 5)));

  const evicted = readServices(ring).map(({ service, spans }) => [service, spans.evicted]);
  expect(evicted).toEqual([
    ["shop", 1],
    ["cart", 1],
    ["till", 0],
  ]);
});

test("a request of more spans than slots evicts its own first ones", () => {
  const ring = ringOf({ spans: 2, bytes: 10_000 });

  put(ring, request(of("shop", 1, 2), of("cart", 3, 4)));

  const [shop, cart] = readServices(ring);
  expect(shop?.spans).toMatchObject({ accepted: 2, buffered: 0, evicted: 2 });
  expect(cart?.spans).toMatchObject({ accepted: 2, buffered: 2, evicted: 0 });
});

test("a block that is evicted is evicted from all its services", () => {
  const ring = ringOf(ROOMY, request(of("shop", 1), of("cart", 2), of("shop", 3)));

  evictOldestBlock(ring);

  expect(readServices(ring).map(({ spans }) => spans.evicted)).toEqual([2, 1]);
});

test("rejected spans count for their service even if it has no others", () => {
  const ring = ringOf(ROOMY);

  put(ring, request(of("shop", 1)), { rejected: rejectedOf("odd", 2, 31) });

  const [, odd] = readServices(ring);
  expect(odd).toMatchObject({ service: "odd", spans: { received: 2, rejected: 2, accepted: 0 } });
  expect(odd?.bytes).toMatchObject({ received: 31, rejected: 31, accepted: 0 });
});

test("a service was last seen when its last span was received, valid or not", () => {
  const ring = ringOf(ROOMY);

  put(ring, request(of("shop", 1), of("cart", 2)), { unixMs: 10 });
  put(ring, request(of("cart", 3)), { unixMs: 20, rejected: rejectedOf("odd", 1, 1) });
  takeOldest(ring, 3);

  const seen = readServices(ring).map(({ lastSeenUnixMs }) => lastSeenUnixMs);
  expect(seen).toEqual([10, 20, 20]);
});

test("spans of no service are of the one for none", () => {
  const ring = ringOf(ROOMY, request(bytesField(1, bytesField(2, span(1)))));

  expect(readServices(ring).map(({ service }) => service)).toEqual(["unknown_service"]);
});

test("services without a free row share one row, which is listed last", () => {
  const services = Array.from({ length: MAX_SERVICES + 3 }, (_, index) =>
    of(`s${index}`, index + 1),
  );
  const ring = ringOf({ spans: 2_000, bytes: 1 << 20 }, request(...services));

  const told = readServices(ring);

  expect(told).toHaveLength(MAX_SERVICES + 1);
  expect(told.at(-1)).toMatchObject({ service: "(other services)", spans: { accepted: 3 } });
});

test("the ledgers of all services, including the shared row, add up to that of the ring", () => {
  const services = Array.from({ length: MAX_SERVICES + 40 }, (_, index) =>
    of(`s${index}`, 2 * index, 2 * index + 1),
  );
  const ring = ringOf({ spans: 1_500, bytes: 1 << 20 }, request(...services));
  put(ring, request(of("late", 1), of("s3", 2)), { rejected: rejectedOf("later", 2, 60) });
  takeOldest(ring, 100);
  evictBefore(ring, 171);

  const told = readServices(ring);

  const { spans, bytes } = readStats(ring);
  expect(total(told.map((each) => each.spans))).toEqual(spans);
  expect(total(told.map((each) => each.bytes))).toEqual(bytes);
  const others = told.at(-1);
  expect(others?.spans).toMatchObject({ received: 2 * 40 + 1 + 2, rejected: 2, evicted: 0 });
  expect(told).toHaveLength(MAX_SERVICES + 1);
});

test("what has no row of its own is taken from the row for the rest", () => {
  const services = Array.from({ length: MAX_SERVICES + 2 }, (_, index) => of(`s${index}`, index));
  const ring = ringOf({ spans: 2_000, bytes: 1 << 20 }, request(...services));

  takeOldest(ring, MAX_SERVICES + 2);

  const others = readServices(ring).at(-1);
  expect(others?.spans).toMatchObject({ accepted: 2, taken: 2, buffered: 0 });
  expect(others?.bytes).toMatchObject({ buffered: 0, evicted: 0 });
});

test("services whose names begin alike for 256 bytes are one", () => {
  const long = "x".repeat(MAX_NAME_BYTES);
  const ring = ringOf(ROOMY, request(of(`${long}a`, 1), of(`${long}b`, 2), of(long.slice(1), 3)));

  const told = readServices(ring).map(({ service, spans }) => [service, spans.accepted]);
  expect(told).toEqual([
    [long, 2],
    [long.slice(1), 1],
  ]);
});

test("spans appended through one view and taken through another are in one ledger", () => {
  const ring = ringOf(ROOMY, request(of("shop", 1)));
  const other = openRingMemory(ring.shared);

  put(other, request(of("cart", 2), of("shop", 3)));
  takeOldest(ring, 2);
  takeOldest(other, 1);

  const told = readServices(ring).map(({ service, spans }) => [service, spans.taken]);
  expect(told).toEqual([
    ["shop", 2],
    ["cart", 1],
  ]);
});

test("a request that is not stored adds no service", () => {
  const ring = ringOf({ spans: 1, bytes: 1_000 }, request(of("shop", 1)));

  put(ring, request(of("refused", 2)), { mayEvict: false, rejected: rejectedOf("odd", 1, 9) });
  put(ring, request(of("y".repeat(1_000), 3)));

  expect(readServices(ring).map(({ service }) => service)).toEqual(["shop"]);
});

/** Of several ledgers. */
function total(ledgers: readonly Ledger[]): Ledger {
  const sum = (entry: keyof Ledger) => ledgers.reduce((all, ledger) => all + ledger[entry], 0);
  return {
    received: sum("received"),
    rejected: sum("rejected"),
    accepted: sum("accepted"),
    buffered: sum("buffered"),
    taken: sum("taken"),
    delivered: sum("delivered"),
    evicted: sum("evicted"),
    undeliverable: sum("undeliverable"),
  };
}

test("another view of the ring reports the same", () => {
  const ring = ringOf(ROOMY, request(of("shop", 1), of("cart", 2)));

  expect(readServices(openRingMemory(ring.shared))).toEqual(readServices(ring));
});

test("damage to the ledger of a service is found by its next removal", () => {
  const ring = ringOf(ROOMY, request(of("shop", 1)));

  ring.services.ledgers.fill(7);

  expect(() => takeOldest(ring, 1)).toThrow(AssertionError);
});
