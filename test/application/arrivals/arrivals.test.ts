import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { Arrivals } from "../../../src/application/arrivals/arrivals.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { knownAtOnce } from "../../support/oracles/known-at-once.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { named, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import type { WatchedBuffer } from "../../../src/ports/trace-buffer.ts";

describe("a subscriber", () => {
  test("is called once with all matching spans that arrived in a turn", async () => {
    const { arrivals, arrive } = searchedRing();
    const received: (readonly number[])[] = [];
    arrivals.subscribe(named("span 2"), (sequences) => received.push(sequences));

    arrive(requestOf(3), requestOf(1, 9), requestOf(2));
    const atOnce = received.length;
    await nextTurn();

    expect(atOnce).toBe(0);
    expect(received).toEqual([[2, 6]]);
  });

  test("is called once, and immediately, when arrivals are shown early", async () => {
    const { arrivals, arrive } = searchedRing();
    const received: (readonly number[])[] = [];
    arrivals.subscribe(named("span 2"), (sequences) => received.push(sequences));
    arrive(requestOf(3));

    arrivals.showArrived();
    const atOnce = [...received];
    await nextTurn();

    expect(atOnce).toEqual([[2]]);
    expect(received).toEqual([[2]]);
  });

  test("is not called if nothing matches", async () => {
    const { arrivals, arrive } = searchedRing();
    const received: (readonly number[])[] = [];
    arrivals.subscribe(named("no"), (sequences) => received.push(sequences));

    arrive(requestOf(3));
    await nextTurn();

    expect(received).toEqual([]);
  });

  test("is not called with earlier spans, even of the same turn", async () => {
    const { arrivals, arrive } = searchedRing();
    const received: number[] = [];
    arrivals.subscribe([], () => {});
    arrive(requestOf(2));

    arrivals.subscribe([], (sequences) => received.push(...sequences));
    arrive(requestOf(2));
    await nextTurn();

    expect(received).toEqual([3, 4]);
  });

  test("is called with spans that are taken or cleared in the turn of their arrival", async () => {
    const { buffer, arrivals, arrive } = searchedRing();
    const received: number[] = [];
    arrivals.subscribe([], (sequences) => received.push(...sequences));

    arrive(requestOf(2));
    const taken = knownAtOnce(arrivals.take(2));
    arrive(requestOf(3));
    const cleared = arrivals.clear();
    await nextTurn();

    expect(received).toEqual([1, 2, 3, 4, 5]);
    expect([taken.sequences, cleared, buffer.stats().spans.taken]).toEqual([[1, 2], 3, 5]);
  });

  test("is not called after it has unsubscribed", async () => {
    const { arrivals, arrive } = searchedRing();
    const received: number[] = [];
    const unsubscribe = arrivals.subscribe([], (sequences) => received.push(...sequences));
    arrive(requestOf(1));
    await nextTurn();

    unsubscribe?.();
    arrive(requestOf(1));
    await nextTurn();

    expect(received).toEqual([1]);
  });

  test("may subscribe and unsubscribe while it is called", async () => {
    const { arrivals, arrive } = searchedRing();
    const received: string[] = [];
    const unsubscribe = arrivals.subscribe([], (sequences) => {
      received.push(`first ${sequences.join()}`);
      unsubscribe?.();
      arrivals.subscribe([], (later) => received.push(`second ${later.join()}`));
    });

    arrive(requestOf(1));
    await nextTurn();
    arrive(requestOf(1));
    await nextTurn();

    expect(received).toEqual(["first 1", "second 2"]);
  });
});

test("a span with two names among plain spans is matched by its last name", async () => {
  const { arrivals, arrive } = searchedRing();
  const received: string[] = [];
  arrivals.subscribe(named("span 2"), ([sequence]) => received.push(`span 2 is ${sequence}`));
  arrivals.subscribe(named("second"), ([sequence]) => received.push(`second is ${sequence}`));
  const twice = request(resourceSpans("shop", span(2, bytesField(5, "second"))));

  arrive(twice, requestOf(1));
  await nextTurn();
  arrive(requestOf(2));
  await nextTurn();

  expect(received).toEqual(["second is 1", "span 2 is 4"]);
});

test("a subscriber is not called if another one has just unsubscribed it", async () => {
  const { arrivals, arrive } = searchedRing();
  const received: string[] = [];
  arrivals.subscribe([], () => {
    received.push("first");
    unsubscribe?.();
  });
  const unsubscribe = arrivals.subscribe([], () => received.push("second"));

  arrive(requestOf(1));
  await nextTurn();

  expect(received).toEqual(["first"]);
});

describe("no subscriber is called with a request that is not stored,", () => {
  test.each([
    { name: "because it is larger than the ring", capacity: { spans: 9, bytes: 60 } },
    { name: "because the ring is full", capacity: { spans: 1, bytes: 10_000 } },
  ])("$name", async ({ capacity }) => {
    const { arrivals, arrive } = searchedRing(capacity, "refuse");
    arrive(requestOf(1, 5));
    const received: number[] = [];
    arrivals.subscribe([], (sequences) => received.push(...sequences));

    arrive(requestOf(1));
    await nextTurn();

    expect(received).toEqual([]);
  });
});

describe("a waker for a sequence", () => {
  test("is called once when the sequence has arrived", async () => {
    const { arrivals, arrive } = searchedRing();
    let wakes = 0;
    arrivals.onNext(2, () => (wakes += 1));

    for (let turn = 0; turn < 3; turn += 1) {
      arrive(requestOf(2));
      await nextTurn();
    }

    expect(wakes).toBe(1);
  });

  test("is not called by earlier sequences", async () => {
    const { arrivals, arrive } = searchedRing();
    const wakes: string[] = [];
    arrivals.onNext(3, () => wakes.push("third"));
    arrivals.onNext(1, () => wakes.push("first"));

    arrive(requestOf(2));
    await nextTurn();
    const early = [...wakes];
    arrive(requestOf(1));
    await nextTurn();

    expect(early).toEqual(["first"]);
    expect(wakes).toEqual(["first", "third"]);
  });

  test("is called if the sequence has arrived already", async () => {
    const { arrivals, arrive } = searchedRing();
    arrive(requestOf(3));

    const { promise, resolve } = Promise.withResolvers<string>();
    arrivals.onNext(3, () => resolve("woken"));

    expect(await promise).toBe("woken");
  });

  test("is not called after it has been removed", async () => {
    const { arrivals, arrive } = searchedRing();
    let wakes = 0;
    arrivals.onNext(1, () => (wakes += 1))();

    arrive(requestOf(1));
    await nextTurn();

    expect(wakes).toBe(0);
  });
});

test("the next sequence to be seen advances at the end of a turn", async () => {
  const { arrivals, arrive } = searchedRing();
  arrivals.subscribe([], () => {});

  arrive(requestOf(3));
  const before = arrivals.seenNext;
  await nextTurn();

  expect([before, arrivals.seenNext]).toEqual([1, 4]);
});

test("the buffer is not read without subscribers", async () => {
  let reads = 0;
  const buffer: WatchedBuffer = {
    append: () => ({ outcome: "accepted", evictedSpans: 0 }),
    range: () => {
      reads += 1;
      return { first: 1, next: 1 };
    },
    visit: () => void (reads += 1),
    take: () => ({ request: new Uint8Array(0), sequences: [], range: { first: 1, next: 1 } }),
    clear: () => 0,
  };
  const arrivals = new Arrivals(buffer, { spans: 10, bytes: 100 });
  arrivals.subscribe([], () => {})?.();
  const before = reads;

  for (let count = 0; count < 100; count += 1) {
    arrivals.append(createWalkedRequest({ spansPerRequest: 1, nestingDepth: 10 }));
  }
  await nextTurn();

  expect(reads - before).toBe(0);
});

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant("arrive"), spans: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("turn"), spans: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("come or go"), spans: fc.constant(0) }) },
);

// Goal: a subscriber is called with each span accepted during its subscription, once and in order,
// whatever happens between two turns and however small the ring is.
// Method: random steps, compared with the sequences accepted in the meantime; the seed is printed.
test("a subscriber misses no arrival and sees none twice", async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 12, max: 40 }),
    fc.array(step, { maxLength: 120 }),
    async (spans, steps) => {
      const { buffer, arrivals, arrive } = searchedRing({ spans, bytes: 1 << 16 });
      const expected: number[] = [];
      const received: number[] = [];
      let unsubscribe: (() => void) | undefined;
      for (const { does, spans: count } of steps) {
        if (does === "turn") await nextTurn();
        if (does === "come or go" && unsubscribe === undefined) {
          unsubscribe = arrivals.subscribe([], (sequences) => received.push(...sequences));
        } else if (does === "come or go") {
          await nextTurn();
          unsubscribe?.();
          unsubscribe = undefined;
        }
        if (does !== "arrive") continue;
        const { next } = buffer.range();
        if (count > 0) arrive(requestOf(count));
        const accepted = Array.from({ length: count }, (_, index) => next + index);
        if (unsubscribe !== undefined) expected.push(...accepted);
      }
      await nextTurn();

      expect(received).toEqual(expected);
    },
  );

  await fc.assert(property, { numRuns: fuzzRuns(100) });
});
