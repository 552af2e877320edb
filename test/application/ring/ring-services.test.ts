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

function spansOf(service: string, ...numbers: number[]): number[] {
  return resourceSpans(service, ...numbers.map((number) => span(number)));
}

test("a service has its own ledger, in spans and in bytes", () => {
  const ring = ringOf(
    ROOMY,
    request(spansOf("shop", 1, 2), spansOf("cart", 3)),
    request(spansOf("shop", 4)),
  );

  takeOldest(ring, 1);

  const [shop, cart] = readServices(ring);
  expect(shop).toMatchObject({ service: "shop", spans: { accepted: 3, buffered: 2, taken: 1 } });
  expect(shop?.bytes).toMatchObject({ accepted: 3 * SPAN_BYTES, buffered: 2 * SPAN_BYTES });
  expect(cart).toMatchObject({ service: "cart", spans: { received: 1, buffered: 1, taken: 0 } });
});

test("an evicted span counts as evicted for its service", () => {
  const ring = ringOf(
    { spans: 3, bytes: 10_000 },
    request(spansOf("shop", 1), spansOf("cart", 2, 3)),
  );

  put(ring, request(spansOf("till", 4, 5)));

  const evicted = readServices(ring).map(({ service, spans }) => [service, spans.evicted]);
  expect(evicted).toEqual([
    ["shop", 1],
    ["cart", 1],
    ["till", 0],
  ]);
});

test("a request with more spans than slots evicts its own first spans", () => {
  const ring = ringOf({ spans: 2, bytes: 10_000 });

  put(ring, request(spansOf("shop", 1, 2), spansOf("cart", 3, 4)));

  const [shop, cart] = readServices(ring);
  expect(shop?.spans).toMatchObject({ accepted: 2, buffered: 0, evicted: 2 });
  expect(cart?.spans).toMatchObject({ accepted: 2, buffered: 2, evicted: 0 });
});

test("the spans of an evicted block count as evicted for each of their services", () => {
  const ring = ringOf(ROOMY, request(spansOf("shop", 1), spansOf("cart", 2), spansOf("shop", 3)));

  evictOldestBlock(ring);

  expect(readServices(ring).map(({ spans }) => spans.evicted)).toEqual([2, 1]);
});

test("rejected spans count for their service even if it has no others", () => {
  const ring = ringOf(ROOMY);

  put(ring, request(spansOf("shop", 1)), { rejected: rejectedOf("odd", 2, 31) });

  const [, odd] = readServices(ring);
  expect(odd).toMatchObject({ service: "odd", spans: { received: 2, rejected: 2, accepted: 0 } });
  expect(odd?.bytes).toMatchObject({ received: 31, rejected: 31, accepted: 0 });
});

test("a service was last seen when its last span was received, valid or not", () => {
  const ring = ringOf(ROOMY);

  put(ring, request(spansOf("shop", 1), spansOf("cart", 2)), { unixMs: 10 });
  put(ring, request(spansOf("cart", 3)), { unixMs: 20, rejected: rejectedOf("odd", 1, 1) });
  takeOldest(ring, 3);

  const seen = readServices(ring).map(({ lastSeenUnixMs }) => lastSeenUnixMs);
  expect(seen).toEqual([10, 20, 20]);
});

test("spans without a service count for unknown_service", () => {
  const ring = ringOf(ROOMY, request(bytesField(1, bytesField(2, span(1)))));

  expect(readServices(ring).map(({ service }) => service)).toEqual(["unknown_service"]);
});

test("services without a free row share one row, which is listed last", () => {
  const resources = Array.from({ length: MAX_SERVICES + 3 }, (_, index) =>
    spansOf(`s${index}`, index + 1),
  );
  const ring = ringOf({ spans: 2_000, bytes: 1 << 20 }, request(...resources));

  const services = readServices(ring);

  expect(services).toHaveLength(MAX_SERVICES + 1);
  expect(services.at(-1)).toMatchObject({ service: "(other services)", spans: { accepted: 3 } });
});

test("the ledgers of all services, including the shared row, add up to that of the ring", () => {
  const resources = Array.from({ length: MAX_SERVICES + 40 }, (_, index) =>
    spansOf(`s${index}`, 2 * index, 2 * index + 1),
  );
  const ring = ringOf({ spans: 1_500, bytes: 1 << 20 }, request(...resources));
  put(ring, request(spansOf("late", 1), spansOf("s3", 2)), {
    rejected: rejectedOf("later", 2, 60),
  });
  takeOldest(ring, 100);
  evictBefore(ring, 171);

  const services = readServices(ring);

  const { spans, bytes } = readStats(ring);
  expect(total(services.map((each) => each.spans))).toEqual(spans);
  expect(total(services.map((each) => each.bytes))).toEqual(bytes);
  const others = services.at(-1);
  expect(others?.spans).toMatchObject({ received: 2 * 40 + 1 + 2, rejected: 2, evicted: 0 });
  expect(services).toHaveLength(MAX_SERVICES + 1);
});

test("taken spans of services without a row count in the shared row", () => {
  const resources = Array.from({ length: MAX_SERVICES + 2 }, (_, index) =>
    spansOf(`s${index}`, index),
  );
  const ring = ringOf({ spans: 2_000, bytes: 1 << 20 }, request(...resources));

  takeOldest(ring, MAX_SERVICES + 2);

  const others = readServices(ring).at(-1);
  expect(others?.spans).toMatchObject({ accepted: 2, taken: 2, buffered: 0 });
  expect(others?.bytes).toMatchObject({ buffered: 0, evicted: 0 });
});

test("services whose names share their first 256 bytes count as one", () => {
  const long = "x".repeat(MAX_NAME_BYTES);
  const ring = ringOf(
    ROOMY,
    request(spansOf(`${long}a`, 1), spansOf(`${long}b`, 2), spansOf(long.slice(1), 3)),
  );

  const services = readServices(ring).map(({ service, spans }) => [service, spans.accepted]);
  expect(services).toEqual([
    [long, 2],
    [long.slice(1), 1],
  ]);
});

test("all views of a ring share the ledgers of its services", () => {
  const ring = ringOf(ROOMY, request(spansOf("shop", 1)));
  const other = openRingMemory(ring.shared);

  put(other, request(spansOf("cart", 2), spansOf("shop", 3)));
  takeOldest(ring, 2);
  takeOldest(other, 1);

  const services = readServices(ring).map(({ service, spans }) => [service, spans.taken]);
  expect(services).toEqual([
    ["shop", 2],
    ["cart", 1],
  ]);
});

test("a request that is not stored adds no service", () => {
  const ring = ringOf({ spans: 1, bytes: 1_000 }, request(spansOf("shop", 1)));

  put(ring, request(spansOf("refused", 2)), { mayEvict: false, rejected: rejectedOf("odd", 1, 9) });
  put(ring, request(spansOf("y".repeat(1_000), 3)));

  expect(readServices(ring).map(({ service }) => service)).toEqual(["shop"]);
});

/** Returns the sum of several ledgers. */
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

test("another view of the ring reports the same services", () => {
  const ring = ringOf(ROOMY, request(spansOf("shop", 1), spansOf("cart", 2)));

  expect(readServices(openRingMemory(ring.shared))).toEqual(readServices(ring));
});

test("damage to the ledger of a service is found by its next removal", () => {
  const ring = ringOf(ROOMY, request(spansOf("shop", 1)));

  ring.services.ledgers.fill(7);

  expect(() => takeOldest(ring, 1)).toThrow(AssertionError);
});
