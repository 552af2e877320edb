import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import {
  type BufferOptions,
  ObservabilityBuffer,
} from "../../../src/application/ring/observability-buffer.ts";
import type { AttributeValue } from "../../../src/domain/trace-span.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { joined } from "../../support/running/filled-ring.ts";
import { plainSpan } from "../../support/requests/plain-span.ts";
import { requestOf, spanBody } from "../../support/requests/request-bytes.ts";
import { ledgerOf } from "../../support/oracles/ledger-of.ts";

const codec = new ProtobufSpanCodec();
const ROOMY = { spans: 100, bytes: 1 << 16 };

function createBuffer(capacity = ROOMY, options: Partial<BufferOptions> = {}) {
  return ObservabilityBuffer.create(capacity, { codec, ...options });
}

function put(buffer: ObservabilityBuffer, request: Uint8Array) {
  const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });
  walkRequest(walked, request);
  return buffer.append(walked);
}

/** Returns the result of a hand-over without spans. */
function nothingBefore(first: number) {
  return { request: new Uint8Array(0), sequences: [], range: { first, next: first } };
}

test("spans are read in order, across the borders of requests, and then removed", () => {
  const buffer = createBuffer();
  put(buffer, requestOf(2));
  put(buffer, requestOf(2, 3));

  const names = [3, 1].map((count) => buffer.getSpans(count).map(({ name }) => name));

  expect(names).toEqual([["span 1", "span 2", "span 3"], ["span 4"]]);
  expect(buffer.stats().spans).toMatchObject({ accepted: 4, taken: 4, buffered: 0 });
});

test("peeking leaves spans in place, and taking them returns the same bytes", () => {
  const buffer = createBuffer();
  put(buffer, requestOf(3));
  put(buffer, requestOf(1, 4));

  const seen = buffer.peek(4);

  expect(seen.request).toEqual(joined(requestOf(3), requestOf(1, 4)));
  expect(seen).toMatchObject({ sequences: [1, 2, 3, 4], range: { first: 1, next: 5 } });
  expect(buffer.size()).toBe(4);
  expect(buffer.take(4)).toEqual(seen);
  expect([buffer.size(), buffer.take(1)]).toEqual([0, nothingBefore(5)]);
});

test.each([-1, Number.NaN, 0.5, Number.NEGATIVE_INFINITY])(
  "peeking at or taking %d spans returns none and changes nothing",
  (count) => {
    const buffer = createBuffer();
    put(buffer, requestOf(3));
    const before = buffer.stats();

    expect([buffer.peek(count), buffer.take(count)]).toEqual([nothingBefore(1), nothingBefore(1)]);
    expect(buffer.stats()).toEqual(before);
  },
);

test("a second view of the ring sees and moves the same spans", () => {
  const buffer = createBuffer();
  const second = ObservabilityBuffer.open(buffer.shared, { codec });
  put(buffer, requestOf(2));

  expect(second.stats()).toEqual(buffer.stats());
  expect(second.take(1).sequences).toEqual([1]);
  put(second, requestOf(1, 3));
  expect(buffer.getSpans(3).map(({ name }) => name)).toEqual(["span 2", "span 3"]);
});

test("an invalid span is counted as received and rejected", () => {
  const buffer = createBuffer();

  expect(buffer.addSpan({ ...plainSpan(), traceId: "" })).toBe(false);
  expect(buffer.stats().spans).toMatchObject({ received: 1, rejected: 1, accepted: 0 });
  expect(buffer.stats().bytes.rejected).toBeGreaterThan(0);
});

test("a span too large for the arena is neither stored nor counted", () => {
  const buffer = createBuffer({ spans: 10, bytes: 200 });
  buffer.addSpan(plainSpan());
  const before = buffer.stats();

  expect(buffer.addSpan({ ...plainSpan(), name: "x".repeat(200) })).toBe(false);
  expect(buffer.stats()).toEqual(before);
});

test("a span nested too deeply to be read back is neither stored nor counted", () => {
  const buffer = createBuffer();
  let value: AttributeValue = null;
  for (let level = 0; level < 48; level += 1) value = { type: "array", value: [value] };
  const deep = { ...plainSpan(), attributes: [{ key: "deep", value }] };

  expect(buffer.addSpan(deep)).toBe(false);
  expect(buffer.stats().spans.received).toBe(0);
});

test("the deepest span that is stored can be read back", () => {
  const buffer = createBuffer();
  let value: AttributeValue = null;
  for (let level = 0; level < 47; level += 1) value = { type: "array", value: [value] };
  const deep = { ...plainSpan(), attributes: [{ key: "deep", value }] };

  expect(buffer.addSpan(deep)).toBe(true);
  expect(buffer.getSpans(1)).toStrictEqual([deep]);
});

test("with the policy refuse, a span that does not fit is not stored and evicts nothing", () => {
  const buffer = createBuffer({ spans: 1, bytes: 1_000 }, { overflowPolicy: "refuse" });

  expect([buffer.addSpan(plainSpan()), buffer.addSpan(plainSpan())]).toEqual([true, false]);
  expect(buffer.stats().spans).toMatchObject({ received: 1, buffered: 1, evicted: 0 });
});

test("with the policy refuse, an invalid span is rejected even if the ring is full", () => {
  const buffer = createBuffer({ spans: 1, bytes: 1_000 }, { overflowPolicy: "refuse" });
  buffer.addSpan(plainSpan());

  expect(buffer.addSpan({ ...plainSpan(), spanId: "" })).toBe(false);
  expect(buffer.stats().spans).toMatchObject({ received: 2, rejected: 1 });
});

test("by default the oldest spans are evicted", () => {
  const options = [{}, { overflowPolicy: "drop_oldest" }] as const;

  const outcomes = options.map((option) => {
    const buffer = createBuffer({ spans: 1, bytes: 1_000 }, option);
    return [put(buffer, requestOf(1)), put(buffer, requestOf(1, 2))];
  });

  const expected = [0, 1].map((evictedSpans) => ({ outcome: "accepted", evictedSpans }));
  expect(outcomes).toEqual([expected, expected] as typeof outcomes);
});

test("the statistics have all counters, in spans and in bytes", () => {
  const buffer = createBuffer({ spans: 3, bytes: 5_000 });
  const spanBytes = spanBody(1).length;
  put(buffer, requestOf(4));
  buffer.take(1);

  expect(buffer.stats()).toEqual({
    spans: ledgerOf({ received: 4, accepted: 4, buffered: 2, taken: 1, evicted: 1 }),
    bytes: ledgerOf({
      received: 4 * spanBytes,
      accepted: 4 * spanBytes,
      buffered: 2 * spanBytes,
      taken: spanBytes,
      evicted: spanBytes,
    }),
    capacity: { spans: 3, bytes: 5_000 },
    sequence: { first: 3, next: 5 },
  });
});

test("copied spans do not change when their bytes in the ring are reused", () => {
  const buffer = createBuffer({ spans: 10, bytes: requestOf(1).length });
  put(buffer, requestOf(1));
  const taken = buffer.take(1);

  put(buffer, requestOf(1, 2));

  expect(taken.request).toEqual(requestOf(1));
});

test("a cleared buffer is empty, and its spans count as taken", () => {
  const buffer = createBuffer({ spans: 10, bytes: 5_000 });
  put(buffer, requestOf(3));

  expect(buffer.clear()).toBe(3);
  expect(buffer.clear()).toBe(0);
  expect(buffer.stats().spans).toMatchObject({ buffered: 0, taken: 3 });
  expect(buffer.range()).toEqual({ first: 4, next: 4 });
});

test("the buffer returns the services of its ring, and spans by sequence", () => {
  const buffer = createBuffer({ spans: 10, bytes: 5_000 });
  put(buffer, requestOf(3));

  expect(buffer.services()).toMatchObject([{ service: "shop", spans: { buffered: 3 } }]);
  expect(buffer.copy([1, 2, 3]).request.toHex()).toBe(requestOf(3).toHex());
});

const ANY = { spans: 100, bytes: 1 << 16 };

test("a clear keeps leased spans, which may be in flight", () => {
  const buffer = createBuffer();
  put(buffer, requestOf(3));
  const leased = buffer.lease({ ...ANY, spans: 2 })!;

  expect(buffer.clear()).toBe(1);
  expect(buffer.copy([1, 2, 3]).sequences).toEqual([1, 2]);
  buffer.settle(leased, "delivered");
  expect(buffer.stats().spans).toMatchObject({ buffered: 0, taken: 1, delivered: 2 });
});

test("a lease can be settled as a whole or in parts", () => {
  const buffer = createBuffer();
  put(buffer, requestOf(3));
  const [one, other] = [2, 1].map((spans) => buffer.lease({ ...ANY, spans })!);

  buffer.settle(one!, "undeliverable", { first: 0, end: 1 });
  buffer.settle(one!, "returned", { first: 1, end: 2 });
  buffer.settle(other!, "delivered");

  const left = { buffered: 1, delivered: 1, undeliverable: 1 };
  expect(buffer.stats().spans).toMatchObject(left);
});

test("leased spans without a slot count towards the size", () => {
  const buffer = createBuffer({ spans: 3, bytes: 1 << 16 });
  put(buffer, requestOf(3));
  const leased = buffer.lease(ANY)!;
  put(buffer, requestOf(2, 4));
  const inFlight = { size: buffer.size(), isFull: buffer.isFull() };
  buffer.settle(leased, "delivered", { first: 2, end: 3 });

  expect(inFlight).toEqual({ size: 5, isFull: true });
  expect([buffer.size(), buffer.isFull()]).toEqual([4, false]);
});

test("with the policy refuse, a leased span and all after it keep their slots", () => {
  const buffer = createBuffer({ spans: 3, bytes: 1 << 16 }, { overflowPolicy: "refuse" });
  put(buffer, requestOf(3));
  const leased = buffer.lease({ ...ANY, spans: 1 })!;
  buffer.clear();

  const meanwhile = put(buffer, requestOf(1, 4));
  const usedBytes = [buffer.usedBytes()];
  buffer.settle(leased, "delivered");
  usedBytes.push(buffer.usedBytes());

  expect(meanwhile).toEqual({ outcome: "refused" });
  expect(usedBytes).toEqual([requestOf(3).length, 0]);
  expect(put(buffer, requestOf(3, 4))).toEqual({ outcome: "accepted", evictedSpans: 0 });
});

test("the time of the oldest span is when its request was received", () => {
  const now = { unixMs: 7_000 };
  const buffer = createBuffer(ROOMY, { unixMs: () => now.unixMs });
  const empty = buffer.oldestUnixMs();
  put(buffer, requestOf(2));
  now.unixMs = 9_000;
  put(buffer, requestOf(1, 3));

  const times = [1, 1].map((count) => [buffer.oldestUnixMs(), buffer.take(count)][0]);

  expect([empty, ...times, buffer.oldestUnixMs()]).toEqual([undefined, 7_000, 7_000, 9_000]);
});
