import { expect, test } from "bun:test";
import {
  CLOSED_TOGETHER,
  CLOSING_INTERVAL_MS,
  ClosingQueue,
  maxWaiting,
} from "../../../src/adapters/otlp-grpc/closing-queue.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

/** Returns a queue with as many connections, and the numbers of those that it has closed. */
function queueOf(count: number, capacity = 1_000) {
  const clock = new HandMovedClock();
  const queue = new ClosingQueue(capacity, clock);
  const closed: number[] = [];
  const leave = Array.from({ length: count }, (_, number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.add({ close: () => closed.push(number), closed: promise });
    return resolve;
  });
  return { clock, queue, closed, leave };
}

const numbersTo = (end: number) => Array.from({ length: end }, (_, number) => number);

test("connections are closed a few at a time, the oldest first", () => {
  const { clock, closed } = queueOf(2 * CLOSED_TOGETHER + 1);

  const counts = numbersTo(4).map(() => {
    const before = closed.length;
    clock.moveMs(CLOSING_INTERVAL_MS);
    return closed.length - before;
  });

  expect(counts).toEqual([CLOSED_TOGETHER, CLOSED_TOGETHER, 1, 0]);
  expect(closed).toEqual(numbersTo(2 * CLOSED_TOGETHER + 1));
});

test("no timer is left when none waits, and a later one is closed in its time", () => {
  const { clock, queue, closed } = queueOf(1);
  clock.moveMs(CLOSING_INTERVAL_MS);
  const { pendingActions } = clock;

  queue.add({ close: () => closed.push(9), closed: Promise.resolve() });
  clock.moveMs(CLOSING_INTERVAL_MS - 1);
  const before = [...closed];
  clock.moveMs(1);

  expect(pendingActions).toBe(0);
  expect([before, closed]).toEqual([[0], [0, 9]]);
});

test("the oldest one is closed at once when more wait than may", () => {
  const { closed } = queueOf(5, 3);

  expect(closed).toEqual([0, 1]);
});

test("one that its peer has closed takes no turn", async () => {
  const { clock, closed, leave } = queueOf(CLOSED_TOGETHER + 1);

  leave[0]!();
  await Promise.resolve();
  clock.moveMs(CLOSING_INTERVAL_MS);

  expect(closed).toEqual(numbersTo(CLOSED_TOGETHER + 1).slice(1));
});

test("all are closed at once on demand", () => {
  const { clock, queue, closed } = queueOf(CLOSED_TOGETHER + 1);

  queue.closeAll();

  expect(closed).toEqual(numbersTo(CLOSED_TOGETHER + 1));
  expect(clock.pendingActions).toBe(0);
});

test.each([
  { maxOpen: 1_000, maxFiles: Number.POSITIVE_INFINITY, waiting: 4_000 },
  { maxOpen: 1_000, maxFiles: 4_096, waiting: 1_048 },
  { maxOpen: 250, maxFiles: 1_024, waiting: 262 },
  { maxOpen: 1_000, maxFiles: 1_024, waiting: 0 },
])(
  "with $maxOpen connections and $maxFiles files, $waiting may wait to be closed",
  ({ maxOpen, maxFiles, waiting }) => {
    expect(maxWaiting(maxOpen, maxFiles)).toBe(waiting);
  },
);
