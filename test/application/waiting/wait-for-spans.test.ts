import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { describe, expect, test } from "bun:test";
import { waitForSpans, type WaitRequest } from "../../../src/application/waiting/wait-for-spans.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, NEVER, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const LONG_MS = 600_000;
const ONE: WaitRequest = {
  filter: named("span 2"),
  after: 0,
  count: 1,
  timeoutMs: LONG_MS,
  cancelled: NEVER,
};

describe("spans are found", () => {
  test("if they are buffered already", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const outcome = await waitForSpans(parts, ONE);

    expect(outcome).toMatchObject({ outcome: "found", spans: { sequences: [2] } });
  });

  test("when they arrive", async () => {
    const { arrive, ...parts } = searchedRing();

    const waiting = waitForSpans(parts, ONE);
    await nextTurn();
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ outcome: "found", spans: { sequences: [2] } });
  });

  test("if one is buffered and the other arrives", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const waiting = waitForSpans(parts, { ...ONE, count: 2 });
    await nextTurn();
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ spans: { sequences: [2, 5] } });
  });

  test("if they arrive while the ring is scanned", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(9_000, 100));

    const waiting = waitForSpans(parts, ONE);
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ spans: { sequences: [9_002] } });
  });

  test("even if one is evicted before the others arrive", async () => {
    const { arrive, ...parts } = searchedRing({ spans: 4, bytes: 1 << 16 });

    const waiting = waitForSpans(parts, { ...ONE, count: 2 });
    arrive(requestOf(2));
    await nextTurn();
    arrive(requestOf(4, 50));
    await nextTurn();
    arrive(requestOf(2));

    expect(await waiting).toMatchObject({ spans: { sequences: [2, 8] } });
  });

  test("only after `after`, buffered or not", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const waiting = waitForSpans(parts, { ...ONE, after: 5 });
    await nextTurn();
    arrive(requestOf(3));
    await nextTurn();
    arrive(requestOf(3));

    expect(await waiting).toMatchObject({ spans: { sequences: [8] } });
  });

  test("with a range that ends after the last one, where the next wait continues", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(9));

    const outcome = await waitForSpans(parts, { ...ONE, filter: [], count: 3 });

    expect(outcome).toMatchObject({ spans: { range: { first: 1, next: 4 } } });
  });
});

// The scan finds enough spans in its third piece; one more span has arrived before that.
test("the range of spans found before the end of the ring has no other match", async () => {
  const { arrive, ...parts } = searchedRing();
  arrive(requestOf(5_000, 100), requestOf(2), requestOf(1, 50), requestOf(2), requestOf(1, 60));
  arrive(requestOf(2_500, 100), requestOf(2));

  const waiting = waitForSpans(parts, { ...ONE, count: 2 });
  arrive(requestOf(2));

  expect(await waiting).toMatchObject({
    spans: { sequences: [5_002, 5_005], range: { first: 5_002, next: 5_006 } },
  });
});

test("spans that are evicted before they are searched are outside the range", async () => {
  const { arrive, ...parts } = searchedRing({ spans: 6_000, bytes: 1 << 20 });
  arrive(requestOf(6_000));
  // This is the only scan of the round, so that its first piece is scanned at once.
  await nextTurn();

  const waiting = waitForSpans(parts, { ...ONE, count: 2 });
  arrive(requestOf(2_500, 100));
  const [outcome] = await Promise.all([waiting, nextTurn().then(() => arrive(requestOf(2)))]);

  expect(outcome).toMatchObject({ outcome: "found", spans: { range: { first: 2_503 } } });
  expect(outcome).toMatchObject({ spans: { sequences: [2, 8_502], range: { next: 8_503 } } });
});

test("once enough are found, more spans of the same turn are left out", async () => {
  const { arrive, ...parts } = searchedRing({ spans: 100, bytes: 1 << 16 });

  const waiting = waitForSpans(parts, { ...ONE, filter: [], count: 3 });
  arrive(requestOf(40), requestOf(40), requestOf(40), requestOf(40));

  expect(await waiting).toMatchObject({
    spans: { sequences: [1, 2, 3], range: { first: 1, next: 4 } },
  });
});

describe("a wait that does not find enough in time", () => {
  test("reports the number of matches and the matches without the last condition", async () => {
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

  test("counts fewer spans than requested", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(3));

    const outcome = await waitForSpans(parts, { ...ONE, count: 2, timeoutMs: 1 });

    expect(outcome).toMatchObject({ outcome: "time_up", found: 1, nearest: { count: 3 } });
  });

  test("has no near miss without a condition", async () => {
    const parts = searchedRing();

    const outcome = await waitForSpans(parts, { ...ONE, filter: [], timeoutMs: 1 });

    expect(outcome).toEqual({
      outcome: "time_up",
      found: 0,
      nearest: undefined,
      range: { first: 1, next: 1 },
    });
  });

  test("searches near misses after `after` only", async () => {
    const { arrive, ...parts } = searchedRing();
    arrive(requestOf(8));

    const outcome = await waitForSpans(parts, { ...ONE, after: 6, timeoutMs: 1 });

    expect(outcome).toMatchObject({ nearest: { count: 2, spans: { sequences: [8, 7] } } });
  });
});

test("a cancelled wait ends at once", async () => {
  const canceller = new AbortController();
  const waiting = waitForSpans(searchedRing(), { ...ONE, cancelled: canceller.signal });

  canceller.abort();

  expect(await waiting).toEqual({ outcome: "cancelled" });
});

test("a wait fails if the ring cannot be read", async () => {
  const { buffer, arrivals } = searchedRing();
  const broken = {
    range: () => ({ first: 1, next: 2 }),
    visit: () => {
      throw new Error("the lock was lost");
    },
    copy: buffer.copy.bind(buffer),
  };

  const waiting = waitForSpans({ buffer: broken, arrivals, clock: SYSTEM_CLOCK }, ONE);

  expect(await waiting.catch(String)).toBe("Error: the lock was lost");
});

test("a wait fails if new spans cannot be copied, and the append succeeds", async () => {
  const { arrive, buffer, arrivals } = searchedRing();
  const broken = {
    range: buffer.range.bind(buffer),
    visit: buffer.visit.bind(buffer),
    copy: (sequences: readonly number[]) => {
      if (sequences.length > 0) throw new Error("no memory is left");
      return buffer.copy(sequences);
    },
  };

  const waiting = waitForSpans({ buffer: broken, arrivals, clock: SYSTEM_CLOCK }, ONE).catch(
    String,
  );
  await nextTurn();
  arrive(requestOf(3));
  arrivals.subscribe([], () => {});

  expect(await waiting).toBe("Error: no memory is left");
});

test("a wait leaves no subscription, however it ended", async () => {
  const { arrive, buffer, arrivals } = searchedRing();
  let open = 0;
  const counted = {
    seenNext: 1,
    subscribe: (...request: Parameters<typeof arrivals.subscribe>) => {
      const unsubscribe = arrivals.subscribe(...request);
      open += 1;
      return () => {
        open -= 1;
        unsubscribe?.();
      };
    },
  };
  arrive(requestOf(3));
  const parts = { buffer, arrivals: counted, clock: SYSTEM_CLOCK };

  await waitForSpans(parts, ONE);
  await waitForSpans(parts, { ...ONE, count: 9, timeoutMs: 1 });
  await waitForSpans(parts, { ...ONE, count: 9, cancelled: AbortSignal.abort() });

  expect(open).toBe(0);
});

test("a wait without room for its filter ends at once", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(1));
  const arrivals = { seenNext: 2, subscribe: () => undefined };

  const outcome = await waitForSpans({ buffer, arrivals, clock: SYSTEM_CLOCK }, ONE);

  expect(outcome).toEqual({ outcome: "no_room", for: "filter" });
});
