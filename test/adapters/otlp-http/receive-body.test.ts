import { DECODER_BYTES } from "../../../src/adapters/otlp/inflate.ts";
import { describe, expect, spyOn, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { OneAtATime } from "../../../src/adapters/otlp-http/one-at-a-time.ts";
import {
  MAX_SHORT_BYTES,
  receiveBody,
  type RequestHead,
} from "../../../src/adapters/otlp-http/receive-body.ts";
import type { EarlyAnswer } from "../../../src/adapters/otlp-http/request-table.ts";
import { FairTurns, SPARE_BYTES } from "../../../src/adapters/listening/fair-turns.ts";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { GrpcFakeReceiver } from "../../support/fakes/grpc-fake-receiver.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { noCollections } from "../../support/fakes/no-collections.ts";

const JSON_HEAD: RequestHead = { signal: "traces", format: "json", coding: "identity" };
const SMALL = Buffer.from('{"resourceSpans":[]}'.padEnd(SPARE_BYTES));
const SHORT = Buffer.from('{"resourceSpans":[]}'.padEnd(SPARE_BYTES + 1));
const SPAN = '{"name":"an ordinary name of a span","attributes":[]}';
const SPANS = Array<string>(60_000).fill(SPAN).join(",");
const LONG = Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${SPANS}]}]}]}`);
const MAX_BYTES = 20 * 1024 * 1024;

/** A time with which each turn of the event loop is over when it begins. */
function passingClock() {
  let nowMs = 0;
  return { monotonicMs: () => (nowMs += 5) };
}

function prepare({ turnClock = { monotonicMs: () => 0 } }: { turnClock?: Clock } = {}) {
  const receiver = new GrpcFakeReceiver();
  const budget = new InFlightBudget({ capacityBytes: 2 * MAX_BYTES, clock: new HandMovedClock() });
  const parts = {
    receivers: { protobuf: receiver, json: receiver },
    unsupported: undefined,
    pace: noCollections(),
    nestingDepth: 100,
    longBodies: new OneAtATime(),
    turns: new FairTurns(turnClock),
    budget,
    maxBytes: MAX_BYTES,
    failed: () => {},
  };
  const garbageBytes: number[] = [];
  spyOn(parts.pace, "noteGarbage").mockImplementation((bytes) => void garbageBytes.push(bytes));
  const begin = (
    body: Uint8Array,
    head: RequestHead = JSON_HEAD,
    { address = "192.0.2.1" }: { address?: string } = {},
  ) => {
    const open = budget.begin({ dropped: () => {} }, 0);
    const inFlight = {
      peer: { address, port: 1 },
      open,
      earlyAnswer: undefined as EarlyAnswer | undefined,
      onAbandoned: () => {},
      arrivedBytes: Infinity,
      [Symbol.dispose]() {},
    };
    const abandon = (): void => {
      inFlight.earlyAnswer = ABANDONED;
    };
    const connection = new AbortController();
    const answer = receiveBody(parts, body, { head, inFlight, request: connection });
    return { answer, abandon, close: () => connection.abort() };
  };
  return { receiver, budget, garbageBytes, begin };
}

const ACCEPTED = { outcome: "accepted" };
const ABANDONED: EarlyAnswer = { outcome: "stopping", message: "abandoned" };
const CLOSED = { outcome: "malformed", problem: "incomplete" };

/** Why a body that waits is not received; only the limit that abandons a request counts it. */
const ENDS = [
  { name: "its request is abandoned", by: "abandon", answer: ABANDONED, counted: [] },
  { name: "its connection is closed", by: "close", answer: CLOSED, counted: ["malformed"] },
] as const;

test.each([
  { name: "JSON", body: SHORT, head: JSON_HEAD },
  { name: "gzip", body: gzipSync(SHORT), head: { ...JSON_HEAD, coding: "gzip" } },
  {
    name: "protobuf of any size",
    body: Buffer.alloc(0),
    head: { ...JSON_HEAD, format: "protobuf" },
  },
] as const)("a short body is received at once: $name", ({ body, head }) => {
  const { receiver, begin } = prepare();

  const { answer } = begin(body, head);

  expect(answer).toMatchObject(ACCEPTED);
  expect(receiver.requests).toHaveLength(1);
});

describe("in a turn without time", () => {
  const CODINGS = [
    { coding: "identity", encode: (plain: Buffer) => plain },
    { coding: "gzip", encode: (plain: Buffer) => gzipSync(plain) },
    { coding: "deflate", encode: (plain: Buffer) => deflateSync(plain) },
    { coding: "zstd", encode: (plain: Buffer) => zstdCompressSync(plain) },
  ] as const;

  test.each(CODINGS)("a small body is received at once: $coding", ({ coding, encode }) => {
    const { receiver, begin } = prepare({ turnClock: passingClock() });

    const { answer } = begin(encode(SMALL), { ...JSON_HEAD, coding });

    expect(answer).toMatchObject(ACCEPTED);
    expect(receiver.requests).toHaveLength(1);
  });

  test("small bodies wait once they have taken what the turn can spare", async () => {
    const { receiver, begin } = prepare({ turnClock: passingClock() });
    const half = gzipSync(SMALL.subarray(0, SPARE_BYTES / 2));
    const gzip: RequestHead = { ...JSON_HEAD, coding: "gzip" };

    const answers = [begin(half, gzip), begin(half, gzip), begin(half, gzip)].map(
      ({ answer }) => answer,
    );
    const before = receiver.requests.length;
    await answers[2];
    const { answer: later } = begin(half, gzip);

    expect([before, receiver.requests.length]).toEqual([2, 4]);
    expect(later).toMatchObject(ACCEPTED);
  });

  test.each(CODINGS)("a larger one waits for a later turn: $coding", async ({ coding, encode }) => {
    const { receiver, begin } = prepare({ turnClock: passingClock() });

    const { answer } = begin(encode(SHORT), { ...JSON_HEAD, coding });
    const before = receiver.requests.length;

    expect(await answer).toMatchObject(ACCEPTED);
    expect([before, receiver.requests.length]).toEqual([0, 1]);
  });

  const EMPTY_MEMBERS = Array<Buffer>(4_000).fill(gzipSync(""));

  test.each([
    { name: "declares to be larger", body: gzipSync(SHORT) },
    { name: "is larger itself", body: Buffer.concat([gzipSync(SMALL), ...EMPTY_MEMBERS]) },
  ])("a body that $name is not decompressed before its turn", async ({ body }) => {
    const { receiver, garbageBytes, begin } = prepare({ turnClock: passingClock() });

    const { answer } = begin(body, { ...JSON_HEAD, coding: "gzip" });
    const before = [receiver.requests.length, ...garbageBytes];

    expect(await answer).toMatchObject(ACCEPTED);
    expect(before).toEqual([0]);
  });

  test("a body is decompressed no further than a small one if it declares too little", async () => {
    const { receiver, garbageBytes, begin } = prepare({ turnClock: passingClock() });
    const body = gzipSync(Buffer.alloc(MAX_SHORT_BYTES));
    body.writeUInt32LE(1, body.length - 4);

    const { answer } = begin(body, { ...JSON_HEAD, coding: "gzip" });
    const before = [receiver.turnedAwayAs.length, ...garbageBytes];

    expect(await answer).toMatchObject({ outcome: "malformed", problem: "broken_compression" });
    // The decoder, and the smallest buffer that it writes to.
    expect(before).toEqual([0, DECODER_BYTES + 64 * 1024]);
  });

  test("a body that needs no work first is received at once", () => {
    const { begin } = prepare({ turnClock: passingClock() });

    const { answer } = begin(Buffer.alloc(0), { ...JSON_HEAD, format: "protobuf" });

    expect(answer).toMatchObject(ACCEPTED);
  });

  test("senders take turns, however many bodies each has sent", async () => {
    const { begin } = prepare({ turnClock: passingClock() });
    const order: string[] = [];
    const noted = async (address: string) => {
      await begin(SHORT, JSON_HEAD, { address }).answer;
      order.push(address);
    };

    const addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"];
    await Promise.all(addresses.map(noted));

    expect(order).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1"]);
  });

  test.each(ENDS)("a body is not received if $name meanwhile", async ({ by, answer, counted }) => {
    const { receiver, begin } = prepare({ turnClock: passingClock() });
    const waiting = begin(SHORT);

    waiting[by]();

    expect(await waiting.answer).toMatchObject(answer);
    expect(receiver.requests).toEqual([]);
    expect(receiver.turnedAwayAs).toEqual([...counted]);
  });
});

describe("a long body", () => {
  const gzip: RequestHead = { ...JSON_HEAD, coding: "gzip" };

  test("is longer than the limit of short ones", () => {
    expect(LONG.length).toBeGreaterThan(2 * MAX_SHORT_BYTES);
  });

  test.each([
    { name: "JSON", body: LONG, head: JSON_HEAD },
    { name: "gzip", body: gzipSync(LONG), head: gzip },
    { name: "gzip of much", body: gzipSync(LONG, { level: 0 }), head: gzip },
  ])("gives short ones their turns: $name", async ({ body, head }) => {
    const { receiver, begin } = prepare();

    const long = begin(body, head);
    const short = begin(SHORT);
    const before = receiver.requests.length;

    expect(short.answer).toMatchObject(ACCEPTED);
    expect(await long.answer).toMatchObject(ACCEPTED);
    expect([before, receiver.requests.length]).toEqual([1, 2]);
  });

  test("gives other events of the loop a turn after each 64 KiB", async () => {
    const { begin } = prepare();
    let turnCount = 0;
    const count = (): void => {
      turnCount += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);

    await begin(LONG).answer;
    clearImmediate(next);

    expect(turnCount).toBeGreaterThanOrEqual(LONG.length / (64 * 1024) - 1);
  });

  test("waits for another long one", async () => {
    const { receiver, begin } = prepare();

    const answers = [begin(LONG).answer, begin(LONG).answer];
    await answers[0];
    const before = receiver.requests.length;
    await answers[1];

    expect([before, receiver.requests.length]).toEqual([1, 2]);
  });

  test.each(
    ENDS.flatMap((end) => [
      { ...end, form: "JSON", body: LONG, head: JSON_HEAD },
      { ...end, form: "gzip", body: gzipSync(LONG), head: gzip },
    ]),
  )("is not received if $name meanwhile: $form", async ({ by, answer, counted, body, head }) => {
    const { receiver, begin } = prepare();
    const bodies = [begin(body, head), begin(body, head)];

    await new Promise((resolve) => void setImmediate(resolve));
    for (const each of bodies) each[by]();

    for (const each of bodies) expect(await each.answer).toMatchObject(answer);
    expect([receiver.requests, receiver.turnedAwayAs]).toEqual([[], [...counted, ...counted]]);
  });

  test("is charged while it is decompressed", async () => {
    const { budget, begin } = prepare();

    await begin(gzipSync(LONG), gzip).answer;

    expect(budget.heldBytes).toBeGreaterThanOrEqual(LONG.length);
    expect(budget.heldBytes).toBeLessThan(1.25 * LONG.length + 20_000);
  });

  test("that is broken is malformed", async () => {
    const { receiver, begin } = prepare();
    const body = gzipSync(LONG);

    const { answer } = begin(body.subarray(0, -9), gzip);

    expect(await answer).toMatchObject({ outcome: "malformed", problem: "broken_compression" });
    expect(receiver.turnedAwayAs).toEqual(["malformed"]);
  });
});

test("a body that decompresses to more than a thousand times its size is refused at once", () => {
  const { receiver, begin } = prepare();
  const body = zstdCompressSync(Buffer.alloc(MAX_BYTES));

  const { answer } = begin(body, { ...JSON_HEAD, coding: "zstd" });

  expect(answer).toMatchObject({ outcome: "too_large" });
  expect(receiver.turnedAwayAs).toEqual(["too_large"]);
});
