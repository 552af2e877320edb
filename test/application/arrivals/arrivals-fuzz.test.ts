import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const MAX_SPANS = 24;
const REQUESTS = Array.from({ length: MAX_SPANS + 1 }, (_, spans) => requestOf(spans));
const SMALLEST_BYTES = REQUESTS[1]!.length;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: MAX_SPANS })),
  },
  { weight: 1, arbitrary: fc.constant("turn" as const) },
);

const game = fc.record({
  spans: fc.integer({ min: 1, max: 30 }),
  bytes: fc.integer({ min: SMALLEST_BYTES, max: 2 * REQUESTS[MAX_SPANS]!.length }),
  steps: fc.array(step, { maxLength: 80 }),
});

// Goal: a subscriber sees every stored span before it is evicted, however large the requests are
// in relation to the ring, in spans and in bytes.
// Method: random requests and turns, compared with what the ring accepted; the seed is printed. If
// a request has more spans than the ring has slots, spans that never had a slot are not expected.
test("subscribers see every span that had a slot, once and in order", async () => {
  let [evicted, tooLarge] = [0, 0];
  const property = fc.asyncProperty(game, async ({ steps, ...capacity }) => {
    const { buffer, arrivals, arrive } = searchedRing(capacity);
    const [all, seconds]: number[][] = [[], []];
    const [shownAll, shownSeconds]: number[][] = [[], []];
    arrivals.subscribe([], (sequences) => shownAll!.push(...sequences));
    arrivals.subscribe(named("span 2"), (sequences) => shownSeconds!.push(...sequences));
    for (const size of steps) {
      if (size === "turn") await nextTurn();
      const { next } = buffer.range();
      if (size !== "turn") arrive(REQUESTS[size]!);
      const accepted = rangeOf(next, buffer.range().next);
      tooLarge += size !== "turn" && accepted.length === 0 ? 1 : 0;
      all!.push(...accepted.slice(-capacity.spans));
      const second = accepted.slice(1, 2);
      seconds!.push(...second.filter((sequence) => all!.includes(sequence)));
    }
    await nextTurn();
    evicted += buffer.stats().spans.evicted;

    expect(shownAll).toEqual(all!);
    expect(shownSeconds).toEqual(seconds!);
  });

  await fc.assert(property, { numRuns: fuzzRuns(300) });
  expect(evicted).toBeGreaterThan(1_000);
  expect(tooLarge).toBeGreaterThan(10);
});

function rangeOf(first: number, next: number): number[] {
  return Array.from({ length: next - first }, (_, index) => first + index);
}
