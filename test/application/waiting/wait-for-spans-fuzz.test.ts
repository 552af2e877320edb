import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { waitForSpans } from "../../../src/application/waiting/wait-for-spans.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, NEVER, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const A_REQUEST = 10;
const REQUEST = requestOf(A_REQUEST);

const game = fc.record({
  /** The number of requests before the first wait, up to several pieces. */
  before: fc.nat({ max: 500 }),
  counts: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
  /** The number of requests in each turn. */
  arriving: fc.infiniteStream(fc.oneof(fc.nat({ max: 2 }), fc.integer({ min: 0, max: 120 }))),
});

// Goal: the range of the found spans is correct, and a wait that continues at its end misses no
// span that arrived since.
// Method: several waits in a row, while random numbers of spans arrive in each turn; every tenth
// span matches, by its sequence alone. The ring has room for all. The seed is printed.
test("a wait misses no match in its range, whatever arrives meanwhile", async () => {
  let joinedCount = 0;
  const property = fc.asyncProperty(game, async ({ before, counts, arriving }) => {
    const { arrive, ...parts } = searchedRing({ spans: 200_000, bytes: 1 << 24 });
    for (let request = 0; request < before; request += 1) arrive(REQUEST);
    let after = 0;
    for (const count of counts) {
      const bufferedNext = parts.buffer.range().next;
      const state = { isOver: false };
      const wait = { filter: named("span 7"), count, after, timeoutMs: 600_000 };
      const waiting = waitForSpans(parts, { ...wait, cancelled: NEVER }).finally(() => {
        state.isOver = true;
      });
      while (!state.isOver) {
        for (let request = arriving.next().value!; request >= 0; request -= 1) arrive(REQUEST);
        await nextTurn();
      }
      const outcome = await waiting;

      if (outcome.outcome !== "found") throw new Error(`it ended with ${outcome.outcome}`);
      const { sequences, range } = outcome.spans;
      expect(sequences).toEqual(matchingIn(range));
      expect(sequences.length).toBeGreaterThanOrEqual(count);
      expect(range.first).toBeGreaterThan(after);
      joinedCount += sequences[0]! < bufferedNext && sequences.at(-1)! >= bufferedNext ? 1 : 0;
      after = range.next - 1;
    }
  });

  await fc.assert(property, { numRuns: fuzzRuns(60) });
  expect(joinedCount).toBeGreaterThan(10);
});

function matchingIn({ first, next }: { readonly first: number; readonly next: number }): number[] {
  const all = Array.from({ length: next - first }, (_, index) => first + index);
  return all.filter((sequence) => sequence % A_REQUEST === 7);
}
