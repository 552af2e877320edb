import { describe, expect, test } from "bun:test";
import { waitForSpans, type WaitRequest } from "../../src/application/wait-for-spans.ts";
import { requestOf } from "../support/request-bytes.ts";
import { named, NEVER, nextTurn, searchedRing } from "../support/searched-ring.ts";

const LONG_MS = 600_000;
const ONE: WaitRequest = {
  filter: named("span 2"),
  after: 0,
  count: 1,
  timeoutMs: LONG_MS,
  cancelled: NEVER,
};

describe("found", () => {
  test("when it was there before", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const outcome = await waitForSpans(parts, ONE);

    expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [2] } });
  });

  test("when it comes", async () => {
    const { arrive, ...parts } = searchedRing();

    const waiting = waitForSpans(parts, ONE);
    await nextTurn();
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [2] } });
  });

  test("when one was there and the other comes", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const waiting = waitForSpans(parts, { ...ONE, count: 2 });
    await nextTurn();
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ spans: { sequences: [2, 5] } });
  });

  test("when it comes while the ring is still looked through", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(9_000, 100));

    const waiting = waitForSpans(parts, ONE);
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ spans: { sequences: [9_002] } });
  });

  test("though it is evicted before the others come", async () => {
    const { arrive, ...parts } = searchedRing({ spans: 4, bytes: 1 << 16 });

    const waiting = waitForSpans(parts, { ...ONE, count: 2 });
    arrive(requestOf(2));
    await nextTurn();
    arrive(requestOf(4, 50));
    await nextTurn();
    arrive(requestOf(2));

    expect(await waiting).toMatchObject({ spans: { sequences: [2, 8] } });
  });

  test("not before `after`, wherever that is", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const waiting = waitForSpans(parts, { ...ONE, after: 5 });
    await nextTurn();
    arrive(requestOf(3));
    await nextTurn();
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ spans: { sequences: [8] } });
  });

  test("with a range that ends behind the last, so that a next wait goes on there", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(9));

    const outcome = await waitForSpans(parts, { ...ONE, filter: [], count: 3 });

    expect(outcome).toMatchObject({ spans: { range: { first: 1, next: 4 } } });
  });
});

describe("not found in time", () => {
  test("it tells how many there were, and what there is without the last condition", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(8));

    const filter = [{ on: "service", value: "shop" } as const, ...named("no")];
    const outcome = await waitForSpans(parts, { ...ONE, filter, timeoutMs: 1 });

    expect(outcome).toMatchObject({
      outcome: "time_up",
      found: 0,
      nearest: {
        without: { on: "name", value: "no" },
        count: 8,
        spans: { sequences: [8, 7, 6, 5, 4] },
      },
      range: { first: 1, next: 9 },
    });
  });

  test("fewer than asked for are counted", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const outcome = await waitForSpans(parts, { ...ONE, count: 2, timeoutMs: 1 });

    expect(outcome).toMatchObject({ outcome: "time_up", found: 1, nearest: { count: 3 } });
  });

  test("without a condition there is no near miss", async () => {
    const parts = searchedRing();

    const outcome = await waitForSpans(parts, { ...ONE, filter: [], timeoutMs: 1 });

    expect(outcome).toEqual({
      outcome: "time_up",
      found: 0,
      nearest: undefined,
      range: { first: 1, next: 1 },
    });
  });

  test("near misses are after `after`, too", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(8));

    const outcome = await waitForSpans(parts, { ...ONE, after: 6, timeoutMs: 1 });

    expect(outcome).toMatchObject({ nearest: { count: 2, spans: { sequences: [8, 7] } } });
  });
});

test("cancelled, it ends at once", async () => {
  const canceller = new AbortController();
  const waiting = waitForSpans(searchedRing(), { ...ONE, cancelled: canceller.signal });

  canceller.abort();

  expect(await waiting).toEqual({ outcome: "cancelled" });
});

test("when the ring cannot be read, the wait fails", async () => {
  const { buffer, arrivals } = searchedRing();
  const broken = {
    range: () => ({ first: 1, next: 2 }),
    visit: () => {
      throw new Error("the lock was lost");
    },
    copy: buffer.copy.bind(buffer),
  };

  const waiting = waitForSpans({ buffer: broken, arrivals }, ONE);

  expect(await waiting.catch(String)).toBe("Error: the lock was lost");
});

test("however it ended, nobody is subscribed any more", async () => {
  const { arrive, buffer, arrivals } = searchedRing();
  let open = 0;
  const counted = {
    seenNext: 1,
    subscribe: (...request: Parameters<typeof arrivals.subscribe>) => {
      const unsubscribe = arrivals.subscribe(...request);
      open += 1;
      return () => {
        open -= 1;
        unsubscribe();
      };
    },
  };
  arrive(requestOf(3));
  const parts = { buffer, arrivals: counted };

  await waitForSpans(parts, ONE);
  await waitForSpans(parts, { ...ONE, count: 9, timeoutMs: 1 });
  await waitForSpans(parts, { ...ONE, count: 9, cancelled: AbortSignal.abort() });

  expect(open).toBe(0);
});
