import { expect, test } from "bun:test";
import { timeLimit } from "../../../src/application/waiting/wait-for-spans.ts";
import { DrivenClock } from "../../support/fakes/driven-clock.ts";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";
import { NEVER } from "../../support/running/searched-ring.ts";

const LONG = { timeoutMs: 600_000, cancelled: NEVER };

test("a limit ends when the time is up", async () => {
  const clock = new DrivenClock();
  using limit = timeLimit(clock, LONG);

  clock.moveMs(LONG.timeoutMs);

  expect(await limit.over).toBe("time_up");
});

test("a limit ends as soon as it is cancelled", async () => {
  const canceller = new AbortController();
  using limit = timeLimit(new DrivenClock(), { ...LONG, cancelled: canceller.signal });

  canceller.abort();

  expect(await limit.over).toBe("cancelled");
});

test("a limit that was cancelled before it began has ended", async () => {
  using limit = timeLimit(new DrivenClock(), { ...LONG, cancelled: AbortSignal.abort() });

  expect(await limit.over).toBe("cancelled");
});

test("a disposed limit leaves no listener and no sleep", () => {
  const [clock, signal] = [new DrivenClock(), countedSignal()];
  const limit = timeLimit(clock, { ...LONG, cancelled: signal.signal });
  const during = [signal.listening(), clock.sleepsMs];

  limit[Symbol.dispose]();

  expect(during).toEqual([1, [LONG.timeoutMs]]);
  expect([signal.listening(), clock.sleepsMs]).toEqual([0, []]);
});

test.each([
  { timeoutMs: 5_000, overtimeMs: 5_000 },
  { timeoutMs: 500, overtimeMs: 1_000 },
  { timeoutMs: 0, overtimeMs: 1_000 },
])(
  "a limit of $timeoutMs ms is long over after $overtimeMs ms more",
  ({ timeoutMs, overtimeMs }) => {
    const clock = new DrivenClock();
    using limit = timeLimit(clock, { timeoutMs, cancelled: NEVER });

    clock.moveMs(timeoutMs + overtimeMs - 1);
    const isNearlyLongOver = limit.isLongOver();
    clock.moveMs(1);

    expect([isNearlyLongOver, limit.isLongOver()]).toEqual([false, true]);
  },
);
