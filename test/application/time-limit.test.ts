import { expect, spyOn, test } from "bun:test";
import { timeLimit } from "../../src/application/time-limit.ts";
import { NEVER } from "../support/searched-ring.ts";

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
