import { describe, expect, test } from "bun:test";
import { offer } from "../../../src/application/forwarding/delivery.ts";
import type { SendOutcome, SpanBatch } from "../../../src/ports/span-sink.ts";
import {
  answering,
  BUSY,
  delivered,
  DELIVERED,
  type DeliveryAmounts,
  INVALID,
  namesOf,
  TOO_LARGE,
} from "../../support/delivered-lease.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { NEVER, searchedRing } from "../../support/running/searched-ring.ts";
import type { Lease } from "../../../src/ports/trace-buffer.ts";

describe("spans are settled as the upstream answers", () => {
  test.each<{ name: string; outcome: SendOutcome; events: string[]; ledger: DeliveryAmounts }>([
    {
      name: "accepted spans are delivered",
      outcome: DELIVERED,
      events: ["sent 6: delivered", "delivered 6"],
      ledger: { buffered: 0, delivered: 6, undeliverable: 0 },
    },
    {
      name: "two rejected spans are undeliverable, and the others delivered",
      outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "no id" },
      events: ["sent 6: partly_rejected", "delivered 4", "undeliverable 2: rejected, no id"],
      ledger: { buffered: 0, delivered: 4, undeliverable: 2 },
    },
    {
      name: "a batch whose spans are all rejected is undeliverable",
      outcome: { outcome: "partly_rejected", rejectedSpans: 6, message: "no id" },
      events: ["sent 6: partly_rejected", "delivered 0", "undeliverable 6: rejected, no id"],
      ledger: { buffered: 0, delivered: 0, undeliverable: 6 },
    },
    {
      name: "spans of a retryable failure are returned",
      outcome: BUSY,
      events: ["sent 6: retry", "returned 6"],
      ledger: { buffered: 6, delivered: 0, undeliverable: 0 },
    },
  ])("$name", async ({ outcome, events, ledger }) => {
    expect(await delivered({ sink: answering(() => outcome) })).toMatchObject({ events, ledger });
  });
});

describe("the memory of requests", () => {
  const spans = requestOf(800);

  /** Returns the lengths of the requests that the sink was given, after the delivery. */
  async function lengthsAfter(outcomeOf: (spanCount: number) => SendOutcome): Promise<number[]> {
    const given: Uint8Array[] = [];
    const send = async ({ request, spanCount }: SpanBatch) => {
      given.push(request);
      return outcomeOf(spanCount);
    };
    await delivered({ sink: { send }, spans });
    return given.map(({ length }) => length);
  }

  test.each<{ name: string; outcome: SendOutcome }>([
    { name: "delivered", outcome: DELIVERED },
    {
      name: "partly rejected",
      outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "no id" },
    },
  ])("is freed once the batch is $name", async ({ outcome }) => {
    expect(await lengthsAfter(() => outcome)).toEqual([0]);
  });

  test("is kept after a failure, because a connection may still send from it", async () => {
    expect(await lengthsAfter(() => BUSY)).toEqual([spans.length]);
  });

  test("is freed of each part that is delivered, after the batch was too large", async () => {
    const [whole, ...parts] = await lengthsAfter((spanCount) =>
      spanCount > 200 ? TOO_LARGE : DELIVERED,
    );

    expect(whole).toBe(spans.length);
    expect(parts.filter((length) => length === 0)).toHaveLength(4);
    expect(parts.filter((length) => length > 0)).toHaveLength(2);
  });
});

test("a batch that is too large is halved until its parts pass, in order", async () => {
  const sink = answering(({ spanCount }) => (spanCount > 2 ? TOO_LARGE : DELIVERED));

  const { ledger } = await delivered({ sink });

  expect(sink.sent.map(({ spanCount }) => spanCount)).toEqual([6, 3, 2, 1, 3, 2, 1]);
  expect(sink.sent.filter(({ spanCount }) => spanCount <= 2).flatMap(namesOf)).toEqual([
    "span 1",
    "span 2",
    "span 3",
    "span 4",
    "span 5",
    "span 6",
  ]);
  expect(ledger).toEqual({ buffered: 0, delivered: 6, undeliverable: 0 });
});

test("only a span that is too large by itself is undeliverable", async () => {
  const sink = answering((batch) => (namesOf(batch).includes("span 3") ? TOO_LARGE : DELIVERED));

  const { ledger, events } = await delivered({ sink });

  expect(ledger).toEqual({ buffered: 0, delivered: 5, undeliverable: 1 });
  expect(events).toContain("undeliverable 1: too_large, too long");
});

test("a retryable failure of one half returns all spans after it", async () => {
  const answers = [TOO_LARGE, DELIVERED, BUSY];
  const sink = answering(() => answers.shift()!);

  const { ledger, events, failures } = await delivered({ sink });

  expect(ledger).toEqual({ buffered: 3, delivered: 3, undeliverable: 0 });
  expect(events).toEqual([
    "sent 6: too_large",
    "sent 3: delivered",
    "delivered 3",
    "sent 3: retry",
    "returned 3",
  ]);
  expect(failures).toMatchObject([{ message: "busy", isRefusal: false }]);
});

test("spans are returned when the sink rejects or throws", async () => {
  const failing = { send: () => Promise.reject(new Error("a fault")) };
  const throwing = {
    send: () => {
      throw new Error("a fault");
    },
  };

  const outcomes = [await delivered({ sink: failing }), await delivered({ sink: throwing })];

  expect(outcomes.map(({ ledger }) => ledger.buffered)).toEqual([6, 6]);
  expect(outcomes.map(({ events }) => events.at(-1))).toEqual(["returned 6", "returned 6"]);
});

const nothing = (): void => {};
const SILENT = {
  sent: nothing,
  delivered: nothing,
  undeliverable: nothing,
  returned: nothing,
  tooLarge: nothing,
  failed: nothing,
};
const probe = async (): Promise<SendOutcome> => DELIVERED;

describe("an offer", () => {
  test.each<{ outcome: SendOutcome; ledger: DeliveryAmounts }>([
    { outcome: DELIVERED, ledger: { buffered: 0, delivered: 6, undeliverable: 0 } },
    {
      outcome: { outcome: "partly_rejected", rejectedSpans: 6, message: "no" },
      ledger: { buffered: 0, delivered: 0, undeliverable: 6 },
    },
    { outcome: INVALID, ledger: { buffered: 6, delivered: 0, undeliverable: 0 } },
    { outcome: BUSY, ledger: { buffered: 6, delivered: 0, undeliverable: 0 } },
  ])("is sent once and settled: $outcome.outcome", async ({ outcome, ledger }) => {
    const { buffer, arrive } = searchedRing();
    arrive(requestOf(6));
    const lease = buffer.lease({ spans: 6, bytes: 1 << 20 }) as Lease;
    const sink = answering(() => outcome);
    const evidence = { takesSpans: false };

    const asking = { probe, witness: probe };
    const parts = { buffer, sink, watcher: SILENT, cancelled: NEVER, evidence, ...asking };
    const end = await offer(parts, lease);

    const { buffered, delivered: gone, undeliverable } = buffer.stats().spans;
    expect(end).toEqual(outcome);
    expect(sink.sent.length).toBe(1);
    expect({ buffered, delivered: gone, undeliverable }).toEqual(ledger);
  });
});
