import { expect, test } from "bun:test";
import { HighWater } from "../../src/application/high-water.ts";
import { books } from "../support/books.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

/** A ring of a hundred spans and a thousand bytes, as full as the test says. */
function highWater(percent: number) {
  const used = { spans: 0, bytes: 0 };
  const none = books();
  const buffer = {
    stats: () => ({
      // In flight, and their slots are others' by now: not in the ring.
      spans: { ...none, buffered: 1_000 },
      bytes: none,
      capacity: { spans: 100, bytes: 1_000 },
      sequence: { first: 7, next: 7 + used.spans },
    }),
    usedBytes: () => used.bytes,
  };
  const logger = new RecordingLogger();
  const mark = new HighWater({ percent, buffer, logger });
  const tick = (spans: number, bytes = 0): boolean => {
    Object.assign(used, { spans, bytes });
    mark.tick();
    return mark.isReached;
  };
  return { mark, logger, tick };
}

test("it is reached at the mark, and over ten points below it", () => {
  const { mark, logger, tick } = highWater(80);

  const before = mark.isReached;
  const reached = [79, 80, 100, 79, 70, 69, 79, 80].map((spans) => tick(spans));

  expect(before).toBe(false);
  expect(reached).toEqual([false, true, true, true, true, false, false, true]);
  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "high_water",
      fields: { used_percent: 80, high_water_percent: 80 },
    },
    { level: "info", event: "high_water_ended", fields: { used_percent: 69 } },
    {
      level: "warning",
      event: "high_water",
      fields: { used_percent: 80, high_water_percent: 80 },
    },
  ]);
});

test("bytes count as spans do, whichever there are more of", () => {
  const { logger, tick } = highWater(50);

  const reached = [tick(0, 499), tick(10, 501), tick(45, 0), tick(39, 0)];

  expect(reached).toEqual([false, true, true, false]);
  expect(logger.lines[0]?.fields).toMatchObject({ used_percent: 50.1 });
});

test("a low mark is over, too, once the ring is empty", () => {
  const { tick } = highWater(1);

  expect([tick(1), tick(0)]).toEqual([true, false]);
});
