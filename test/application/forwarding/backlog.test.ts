import { expect, test } from "bun:test";
import { Backlog } from "../../../src/application/forwarding/backlog.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { nextTurn, searchedRing } from "../../support/running/searched-ring.ts";
import { countedArrivals } from "../../support/fakes/counted-listeners.ts";

/** A clock whose sleeps end with their signal alone. */
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

test("a span that has waited long enough is late, however much arrives meanwhile", async () => {
  const { arrive, clock, states } = backlogOf();
  const seen: number[] = [];

  for (let turn = 0; turn < 4; turn += 1) {
    arrive(requestOf(1));
    await nextTurn();
    await nextTurn();
    seen.push(states.length);
    clock.moveMs(100);
  }

  // It has waited for 0, 100, 200 and 300 ms.
  expect(seen).toEqual([0, 0, 0, 1]);
  expect(states).toEqual(["due"]);
});

test.each([
  { of: "spans", full: { spans: 3, bytes: 1 << 20 } },
  { of: "bytes", full: { spans: 100, bytes: 200 } },
])(
  "a batch that is full of $of is due at once, though it was not so at first",
  async ({ full }) => {
    const { arrive, states } = backlogOf(full);
    arrive(requestOf(1));
    await nextTurn();
    await nextTurn();
    const before = states.length;

    arrive(requestOf(2));
    await nextTurn();
    await nextTurn();

    expect([before, states]).toEqual([0, ["due"]]);
  },
);

test("what is in flight is no reason for another batch", async () => {
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

test("however often a batch ends, one waits for what arrives", async () => {
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
    backlog.settled(leased);
  }

  expect(waiting).toEqual([1, 1, 1]);
});

test("when readers have taken what waited, the next span has its whole time", async () => {
  const { buffer, arrive, clock, states } = backlogOf();
  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();
  buffer.take(1);
  clock.moveMs(300);

  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();
  const atOnce = states.length;
  clock.moveMs(300);
  arrive(requestOf(1));
  await nextTurn();
  await nextTurn();

  expect([atOnce, states.length]).toEqual([1, 1]);
});

test("the bytes of a lease that is not the oldest count as long as it is open", async () => {
  const { buffer, arrive, backlog, states } = backlogOf({ spans: 100, bytes: 200 });
  arrive(requestOf(1));
  const newest = buffer.leaseNewest()!;
  backlog.leasedAhead(newest);
  arrive(requestOf(1, 2));
  await nextTurn();
  await nextTurn();
  const whileOpen = states.length;

  // 2 spans of 75 bytes and what is around them: with the first they are a full batch.
  buffer.settle(newest, "returned");
  backlog.settled(newest);
  await nextTurn();
  await nextTurn();

  expect([whileOpen, states]).toEqual([0, ["due"]]);
});
