import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { tailSpans } from "../../../src/application/waiting/tail-spans.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { NEVER, searchedRing } from "../../support/running/searched-ring.ts";

/** Numbers of spans, some of which exceed one scan. */
const burst = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 3 }) },
  { weight: 4, arbitrary: fc.nat({ max: 250 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 3_000 }) },
);

const game = fc.record({
  spans: fc.integer({ min: 1, max: 200 }),
  after: fc.nat({ max: 60 }),
  /** Numbers of spans between two pieces, so that the reader is sometimes slow. */
  arriving: fc.array(burst, { maxLength: 30 }),
});

/** The spans in a piece of short ones, the first piece and further ones. */
const [FIRST_LENGTH, FURTHER_LENGTH] = [16, 64];

// Goal: the received spans and the reported missed spans of a reader are together all spans.
// Method: a reader of random speed on a small ring; each piece must continue exactly where the one
// before it and the missed spans end. The seed is printed.
test("a reader receives each span or learns that it missed it, however slow it is", async () => {
  let missed = 0;
  const property = fc.asyncProperty(game, async ({ spans, after, arriving }) => {
    const { arrive, buffer, arrivals } = searchedRing({ spans, bytes: 1 << 20 });
    const tail = tailSpans({ buffer, arrivals }, { filter: [], after, cancelled: NEVER });
    let at = after + 1;
    let maxLength = FIRST_LENGTH;
    for (const count of arriving) {
      if (count > 0) arrive(requestOf(count));
      const { first, next } = buffer.range();
      if (at >= next) continue;

      const { value: piece } = await tail.next();

      const expected = Math.max(0, first - at);
      at += expected;
      const length = Math.min(maxLength, next - at);
      expect(piece).toMatchObject({
        missedSpans: expected,
        sequences: Array.from({ length }, (_, index) => at + index),
      });
      at += length;
      maxLength = FURTHER_LENGTH;
      missed += expected;
    }
  });

  await fc.assert(property, { numRuns: fuzzRuns(150) });
  expect(missed).toBeGreaterThan(1_000);
});
