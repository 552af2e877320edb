import { expect, spyOn, test } from "bun:test";
import { timeLimit } from "../../../src/application/waiting/time-limit.ts";
import { NEVER } from "../../support/running/searched-ring.ts";

test("it ends when the time is up", async () => {
  const limit = timeLimit(1, NEVER);

  expect(await limit.over).toBe("time_up");
});

test("it ends at once when it is cancelled", async () => {
  const canceller = new AbortController();
  const limit = timeLimit(600_000, canceller.signal);

  canceller.abort();

  expect(await limit.over).toBe("cancelled");
  limit.clear();
});

test("it has ended when it was cancelled before it began", async () => {
  const limit = timeLimit(600_000, AbortSignal.abort());

  expect(await limit.over).toBe("cancelled");
  limit.clear();
});

test("cleared, it listens no more", () => {
  const heard: string[] = [];
  const signal = {
    aborted: false,
    addEventListener: (event: string) => heard.push(`+${event}`),
    removeEventListener: (event: string) => heard.push(`-${event}`),
  } as unknown as AbortSignal;

  timeLimit(600_000, signal).clear();

  expect(heard).toEqual(["+abort", "-abort"]);
});

test("cleared, its timer is gone", () => {
  const [started, cleared] = [spyOn(globalThis, "setTimeout"), spyOn(globalThis, "clearTimeout")];

  timeLimit(600_000, NEVER).clear();

  const timers = started.mock.results.map(({ value }) => value as unknown);
  const goneTimers = cleared.mock.calls.map(([timer]) => timer as unknown);
  started.mockRestore();
  cleared.mockRestore();
  expect(timers).toHaveLength(1);
  expect(goneTimers).toEqual(timers);
});

test.each([2 ** 31, Number.POSITIVE_INFINITY])("%d ms are not over at once", (timeoutMs) => {
  const timers = spyOn(globalThis, "setTimeout");

  timeLimit(timeoutMs, NEVER).clear();
  const [, delayMs] = timers.mock.calls[0]!;
  timers.mockRestore();

  expect(delayMs).toBe(2 ** 31 - 1);
});

test.each([
  { limitMs: 5_000, overtimeMs: 5_000 },
  { limitMs: 500, overtimeMs: 1_000 },
  { limitMs: 0, overtimeMs: 1_000 },
])("$limitMs ms are long over after $overtimeMs ms more", async ({ limitMs, overtimeMs }) => {
  const timers = spyOn(globalThis, "setTimeout");
  const endTimer = (at: number): unknown => {
    const [end, timeMs] = timers.mock.calls[at]!;
    (end as () => void)();
    return timeMs;
  };
  const limit = timeLimit(limitMs, NEVER);

  const times = [endTimer(0)];
  const justOver = limit.isLongOver();
  times.push(endTimer(1));
  limit.clear();
  timers.mockRestore();

  expect(await limit.over).toBe("time_up");
  expect(times).toEqual([limitMs, overtimeMs]);
  expect([justOver, limit.isLongOver()]).toEqual([false, true]);
});

test("cleared when its time is up, it has no timer either", () => {
  const [started, cleared] = [spyOn(globalThis, "setTimeout"), spyOn(globalThis, "clearTimeout")];
  const limit = timeLimit(600_000, NEVER);
  (started.mock.calls[0]![0] as () => void)();

  limit.clear();

  const last = started.mock.results.at(-1)!.value as unknown;
  const goneTimers = cleared.mock.calls.map(([timer]) => timer as unknown);
  started.mockRestore();
  cleared.mockRestore();
  expect(goneTimers).toEqual([last]);
});
