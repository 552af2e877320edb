import { expect, test } from "bun:test";
import { Backlog } from "../../../src/application/forwarding/backlog.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { nextTurn, searchedRing } from "../../support/running/searched-ring.ts";
import { countedArrivals } from "../../support/fakes/counted-listeners.ts";

/** A clock whose sleeps end only when they are aborted. */
class SleeplessClock extends HandMovedClock {
  sleep(_durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

function backlogOf(full = { spans: 100, bytes: 1 << 20 }) {
  const { buffer, arrivals, arrive } = searchedRing();
  const clock = new SleeplessClock();
  const backlog = new Backlog({ buffer, arrivals, clock, maxDelayMs: 250, full });
  const states: string[] = [];
  void backlog.next(() => 0).then((state) => states.push(state));
  return { buffer, arrive, clock, backlog, states };
}

test("later arrivals do not delay a batch whose oldest span has waited long enough", async () => {
  const { arrive, clock, states } = backlogOf();
  const seen: number[] = [];

  for (let turn = 0; turn < 4; turn += 1) {
    arrive(requestOf(1));
    await nextTurn();
    await nextTurn();
    seen.push(states.length);
    clock.moveMs(100);
  }

  // The oldest span has waited for 0, 100, 200 and 300 ms.
  expect(seen).toEqual([0, 0, 0, 1]);
  expect(states).toEqual(["due"]);
});

test.each([
  { of: "spans", full: { spans: 3, bytes: 1 << 20 } },
  { of: "bytes", full: { spans: 100, bytes: 200 } },
])("a batch that becomes full in $of is due at once", async ({ full }) => {
  const { arrive, states } = backlogOf(full);
  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();
  const before = states.length;

  arrive(requestOf(2));
  await nextTurn();
  await nextTurn();

  expect([before, states]).toEqual([0, ["due"]]);
});

test("spans that are on disk only are due at once", async () => {
  const { buffer, arrivals } = searchedRing();
  const spilled: typeof buffer = Object.create(buffer, { hasSpilled: { value: () => true } });
  const full = { spans: 100, bytes: 1 << 20 };
  const clock = new SleeplessClock();
  const backlog = new Backlog({ buffer: spilled, arrivals, clock, maxDelayMs: 250, full });

  expect(await backlog.next(() => 0)).toBe("due");
});

test("spans in flight do not make another batch due", async () => {
  const { buffer, arrive, backlog, states } = backlogOf({ spans: 10, bytes: 300 });
  arrive(requestOf(10));
  await nextTurn();
  await nextTurn();
  backlog.leased(buffer.lease({ spans: 10, bytes: 1 << 20 })!);
  void backlog.next(() => 10).then((state) => states.push(state));

  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();

  expect(states).toEqual(["due"]);
});

test("one listener waits for arrivals, however many batches have settled", async () => {
  const { buffer, arrivals, arrive } = searchedRing();
  const [counted, clock] = [countedArrivals(arrivals), new SleeplessClock()];
  const full = { spans: 100, bytes: 1 << 20 };
  const backlog = new Backlog({ buffer, arrivals: counted, clock, maxDelayMs: 250, full });
  const waiting: number[] = [];
  arrive(requestOf(1));
  const leased = buffer.lease({ spans: 1, bytes: 1 << 20 })!;
  backlog.leased(leased);
  void backlog.next(() => 1);

  for (let end = 0; end < 3; end += 1) {
    await nextTurn();
    waiting.push(counted.waiting());
    backlog.settled(leased.request.length);
  }

  expect(waiting).toEqual([1, 1, 1]);
});

test("a span waits for the full delay if readers have taken those before it", async () => {
  const { buffer, arrive, clock, states } = backlogOf();
  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();
  buffer.take(1);
  clock.moveMs(300);

  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();
  const countBefore = states.length;
  clock.moveMs(300);
  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();

  expect([countBefore, states.length]).toEqual([1, 1]);
});

test("the bytes of a lease of newer spans count as in flight while it is open", async () => {
  const { buffer, arrive, backlog, states } = backlogOf({ spans: 100, bytes: 200 });
  arrive(requestOf(1));
  const newest = buffer.leaseNewest()!;
  backlog.leasedAhead(newest);
  arrive(requestOf(1, 2));
  await nextTurn();
  await nextTurn();
  const whileOpen = states.length;

  // Two spans of 75 bytes with their messages fill a batch only together with the first one.
  buffer.settle(newest, "returned");
  backlog.settled(newest.request.length);
  await nextTurn();
  await nextTurn();

  expect([whileOpen, states]).toEqual([0, ["due"]]);
});
