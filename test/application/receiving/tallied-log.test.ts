import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { TalliedLog } from "../../../src/application/receiving/tallied-log.ts";
import type { LogFields } from "../../../src/ports/logger.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function createLog() {
  const lines: LogFields[] = [];
  return { lines, log: new TalliedLog((fields) => lines.push(fields)) };
}

test("the first time is told at once", () => {
  const { log, lines } = createLog();

  log.note("idle", { text: "first" });

  expect(lines).toEqual([{ idle: 1, text: "first" }]);
});

test("what comes within a second is told at its end, with counts and the last details", () => {
  const { log, lines } = createLog();
  log.note("idle");

  for (let time = 0; time < 3; time += 1) log.note("idle", { text: `${time}` });
  log.note("too many");
  jest.advanceTimersByTime(999);
  const early = lines.length;
  jest.advanceTimersByTime(1);

  expect(early).toBe(1);
  expect(lines.slice(1)).toEqual([{ idle: 3, "too many": 1 }]);
});

test("there is at most one line a second while it lasts", () => {
  const { log, lines } = createLog();

  for (let step = 0; step < 100; step += 1) {
    log.note("idle");
    jest.advanceTimersByTime(100);
  }

  const noted = lines.reduce((sum, { idle }) => sum + Number(idle), 0);
  expect(lines).toHaveLength(11);
  expect(noted).toBe(100);
});

test("after a second without anything, the next time is told at once again", () => {
  const { log, lines } = createLog();
  log.note("idle");
  jest.advanceTimersByTime(1000);

  log.note("idle");

  expect(lines).toEqual([{ idle: 1 }, { idle: 1 }]);
});

test("closing tells what is left, and a second time nothing", () => {
  const { log, lines } = createLog();
  log.note("idle");
  log.note("idle");

  log.close();
  log.close();
  jest.advanceTimersByTime(5000);

  expect(lines).toEqual([{ idle: 1 }, { idle: 1 }]);
});
