import { expect, test } from "bun:test";
import { RateLimitedLog } from "../../../src/application/receiving/rate-limited-log.ts";
import type { LogFields } from "../../../src/ports/logger.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

function createLog() {
  const lines: LogFields[] = [];
  const clock = new HandMovedClock();
  return { lines, clock, log: new RateLimitedLog(clock, (fields) => lines.push(fields)) };
}

test("the first event is logged at once", () => {
  const { log, lines } = createLog();

  log.note("idle", { text: "first" });

  expect(lines).toEqual([{ idle: 1, text: "first" }]);
});

test("later events within a second are logged as one line at its end", () => {
  const { log, lines, clock } = createLog();
  log.note("idle");

  for (let time = 0; time < 3; time += 1) log.note("idle", { text: `${time}` });
  log.note("too many");
  clock.moveMs(999);
  const early = lines.length;
  clock.moveMs(1);

  expect(early).toBe(1);
  expect(lines.slice(1)).toEqual([{ idle: 3, "too many": 1 }]);
});

test("a stream of events is logged at most once a second", () => {
  const { log, lines, clock } = createLog();

  for (let step = 0; step < 100; step += 1) {
    log.note("idle");
    clock.moveMs(100);
  }

  const noted = lines.reduce((sum, { idle }) => sum + Number(idle), 0);
  expect(lines).toHaveLength(11);
  expect(noted).toBe(100);
});

test("an event is logged at once after a second without events", () => {
  const { log, lines, clock } = createLog();
  log.note("idle");
  clock.moveMs(1000);

  log.note("idle");

  expect(lines).toEqual([{ idle: 1 }, { idle: 1 }]);
});

test("closing logs the remaining events once", () => {
  const { log, lines, clock } = createLog();
  log.note("idle");
  log.note("idle");

  log.close();
  log.close();
  clock.moveMs(5000);

  expect(lines).toEqual([{ idle: 1 }, { idle: 1 }]);
});
