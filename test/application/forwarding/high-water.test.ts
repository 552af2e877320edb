import { expect, test } from "bun:test";
import { HighWater } from "../../../src/application/forwarding/high-water.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

/** A high-water mark for a ring whose fill level, in percent, is set by the test. */
function highWater(percent: number) {
  const used = { percent: 0 };
  const logger = new RecordingLogger();
  const mark = new HighWater({ percent, buffer: { usedShare: () => used.percent / 100 }, logger });
  const sample = (usedPercent: number): boolean => {
    used.percent = usedPercent;
    mark.sample();
    return mark.isReached;
  };
  const tick = (usedPercent: number, times = 1): boolean => {
    used.percent = usedPercent;
    for (let ticks = 0; ticks < times; ticks += 1) mark.tick();
    return mark.isReached;
  };
  return { mark, logger, sample, tick };
}

const events = ({ lines }: RecordingLogger) => lines.map(({ event }) => event);

test("the mark is reached at its level, and ends after more than ten ticks well below it", () => {
  const { mark, logger, sample, tick } = highWater(80);

  const before = mark.isReached;
  const rising = [sample(79), sample(80), sample(100)];
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

test("without a sample, the mark is reached at the next tick", () => {
  const { tick } = highWater(80);

  expect([tick(79), tick(80)]).toEqual([false, true]);
});

test("batches that repeatedly fill and empty the ring are logged once", () => {
  const { logger, sample, tick } = highWater(80);

  for (let batches = 0; batches < 100; batches += 1) {
    sample(82);
    tick(0, 9);
  }

  expect(events(logger)).toEqual(["high_water"]);
});

test("a rise between two ticks restarts the count of calm ticks", () => {
  const { sample, tick } = highWater(80);

  sample(80);
  tick(0, 10);
  sample(75);
  const stillReached = [tick(0), tick(0, 9)];

  expect([...stillReached, tick(0)]).toEqual([true, true, false]);
});

test("a mark of one percent ends when the ring is empty", () => {
  const { tick } = highWater(1);

  expect([tick(1), tick(0, 11)]).toEqual([true, false]);
});
