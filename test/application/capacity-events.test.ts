import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  CAPACITY_LINE_INTERVAL_MS,
  CapacityEpisode,
  EVICTION,
  FAULTY_REQUESTS,
  REFUSAL,
} from "../../src/application/capacity-events.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns } from "../support/fuzz-runs.ts";
import { HandMovedClock } from "../support/hand-moved-clock.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

function episode(events = EVICTION) {
  const logger = new RecordingLogger();
  const clock = new HandMovedClock();
  return { logger, clock, episode: new CapacityEpisode(events, { logger, clock }) };
}

/** The lines as words: event, then counts. */
function told({ lines }: RecordingLogger): string[] {
  return lines.map(({ event, fields }) => [event, ...Object.values(fields)].join(" "));
}

test("it is told at once when spans begin to go, with how many", () => {
  const { logger, episode: eviction } = episode();

  eviction.note(7);

  expect(logger.lines).toEqual([
    { level: "warning", event: "eviction_began", fields: { spans: 7 } },
  ]);
});

test("within a second of a line there is no other, whatever happens", () => {
  const { logger, clock, episode: eviction } = episode();
  eviction.note(1);

  for (let count = 0; count < 999; count += 1) {
    clock.moveMs(1);
    eviction.note(1);
    eviction.tick();
  }

  expect(told(logger)).toEqual(["eviction_began 1"]);
});

test("while it lasts there is a line a second, with the spans since the last one", () => {
  const { logger, clock, episode: eviction } = episode();
  eviction.note(1);
  eviction.note(2);
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS);
  eviction.tick();
  eviction.note(4);
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS);
  eviction.note(8);

  eviction.tick();

  expect(told(logger)).toEqual(["eviction_began 1", "evicting 2", "evicting 12"]);
});

test("a second without any ends it, with the spans in all, and then there is silence", () => {
  const { logger, clock, episode: eviction } = episode();
  eviction.note(1);
  eviction.note(2);

  for (let second = 0; second < 4; second += 1) {
    clock.moveMs(CAPACITY_LINE_INTERVAL_MS);
    eviction.tick();
  }

  expect(told(logger)).toEqual(["eviction_began 1", "evicting 2", "eviction_ended 3"]);
  expect(logger.lines.at(-1)!.fields).toEqual({ spans_in_all: 3 });
});

test("what begins anew begins with a line, and counts from the start", () => {
  const { logger, clock, episode: eviction } = episode();
  eviction.note(5);
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS);
  eviction.tick();
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS);

  eviction.note(2);
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS);
  eviction.tick();

  expect(told(logger).slice(2)).toEqual(["eviction_began 2", "eviction_ended 2"]);
});

test("spans that go right after the end are told when a second has passed: none is lost", () => {
  const { logger, clock, episode: eviction } = episode();
  eviction.note(5);
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS);
  eviction.tick();

  eviction.note(2);
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS - 1);
  eviction.note(3);
  clock.moveMs(1);
  eviction.tick();

  expect(told(logger)).toEqual(["eviction_began 5", "eviction_ended 5", "eviction_began 5"]);
});

test("nothing is told of nothing", () => {
  const { logger, clock, episode: eviction } = episode();

  eviction.note(0);
  clock.moveMs(10 * CAPACITY_LINE_INTERVAL_MS);
  eviction.tick();

  expect(logger.lines).toEqual([]);
});

// Goal: never two lines within a second, and every span told once. Method: any course of events.
test(
  "whatever happens when, all spans are told, with a second between two lines",
  () => {
    const anyCourse = fc.array(
      fc.record({ waitMs: fc.nat({ max: 1_500 }), spans: fc.nat({ max: 3 }), ticks: fc.boolean() }),
    );

    const property = fc.property(anyCourse, (course) => {
      const { logger, clock, episode: eviction } = episode();
      const lineTimesMs: number[] = [];
      for (const { waitMs, spans, ticks } of [...course, END, END, END]) {
        clock.moveMs(waitMs);
        eviction.note(spans);
        if (ticks) eviction.tick();
        while (lineTimesMs.length < logger.lines.length) lineTimesMs.push(clock.monotonicMs());
      }

      const noted = course.reduce((total, { spans }) => total + spans, 0);
      const counted = (name: string) =>
        logger.lines.reduce((total, { fields }) => total + Number(fields[name] ?? 0), 0);
      expect([counted("spans"), counted("spans_in_all")]).toEqual([noted, noted]);
      const gapsMs = lineTimesMs.slice(1).map((timeMs, index) => timeMs - lineTimesMs[index]!);
      expect(Math.min(...gapsMs, 1_000)).toBe(1_000);
    });

    fc.assert(property, { numRuns: fuzzRuns(300) });
  },
  FUZZ_TIMEOUT_MS,
);

const END = { waitMs: CAPACITY_LINE_INTERVAL_MS, spans: 0, ticks: true };

test("refusals are told in words of their own", () => {
  const { logger, clock, episode: refusal } = episode(REFUSAL);
  refusal.note(1);
  refusal.note(1);

  for (let second = 0; second < 2; second += 1) {
    clock.moveMs(CAPACITY_LINE_INTERVAL_MS);
    refusal.tick();
  }

  expect(told(logger)).toEqual(["refusal_began 1", "refusing 1", "refusal_ended 2"]);
});

test("what is finished is told of to the end, without waiting for the next second", () => {
  const { logger, episode: eviction } = episode();
  eviction.note(1);
  eviction.note(2);

  eviction.finish();
  eviction.finish();

  expect(told(logger)).toEqual(["eviction_began 1", "evicting 2", "eviction_ended 3"]);
});

test("a line about requests counts requests, and gives the last reason", () => {
  const { logger, clock, episode: faulty } = episode(FAULTY_REQUESTS);
  faulty.note(1, "the first");
  faulty.note(1, "the second");
  faulty.note(1, "the third");
  clock.moveMs(CAPACITY_LINE_INTERVAL_MS);

  faulty.tick();

  expect(logger.lines.map(({ fields }) => fields)).toEqual([
    { requests: 1, reason: "the first" },
    { requests: 2, reason: "the third" },
  ]);
});
