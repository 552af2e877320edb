import { expect, test } from "bun:test";
import { HighWater } from "../../../src/application/forwarding/high-water.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

/** Beside a ring that is as full, in percent, as the test says. */
function highWater(percent: number) {
  const used = { percent: 0 };
  const logger = new RecordingLogger();
  const mark = new HighWater({ percent, buffer: { usedShare: () => used.percent / 100 }, logger });
  const look = (usedPercent: number): boolean => {
    used.percent = usedPercent;
    mark.sample();
    return mark.isReached;
  };
  const tick = (usedPercent: number, times = 1): boolean => {
    used.percent = usedPercent;
    for (let ticks = 0; ticks < times; ticks += 1) mark.tick();
    return mark.isReached;
  };
  return { mark, logger, look, tick };
}

const events = ({ lines }: RecordingLogger) => lines.map(({ event }) => event);

test("it is reached as soon as the mark is, and over after ten ticks below it", () => {
  const { mark, logger, look, tick } = highWater(80);

  const before = mark.isReached;
  const rising = [look(79), look(80), look(100)];
  const falling = [tick(79, 20), tick(70, 20), tick(69, 10), tick(69)];

  expect(before).toBe(false);
  expect(rising).toEqual([false, true, true]);
  expect(falling).toEqual([true, true, true, false]);
  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "high_water",
      fields: { used_percent: 80, high_water_percent: 80 },
    },
    { level: "info", event: "high_water_ended", fields: { used_percent: 69 } },
  ]);
});

test("without a look it is reached at the next tick", () => {
  const { tick } = highWater(80);

  expect([tick(79), tick(80)]).toEqual([false, true]);
});

test("batches that repeatedly fill and empty the ring are logged once", () => {
  const { logger, look, tick } = highWater(80);

  for (let batches = 0; batches < 100; batches += 1) {
    look(82);
    tick(0, 9);
  }

  expect(events(logger)).toEqual(["high_water"]);
});

test("what rises and falls between two ticks is no calm", () => {
  const { look, tick } = highWater(80);

  look(80);
  tick(0, 10);
  look(75);
  const stillReached = [tick(0), tick(0, 9)];

  expect([...stillReached, tick(0)]).toEqual([true, true, false]);
});

test("a low mark is over, too, once the ring is empty", () => {
  const { tick } = highWater(1);

  expect([tick(1), tick(0, 11)]).toEqual([true, false]);
});
