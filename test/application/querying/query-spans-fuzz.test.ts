import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { querySpans } from "../../../src/application/querying/query-spans.ts";
import { summariseTraces } from "../../../src/application/querying/summarise-traces.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

/** One of a hundred spans is named `span 7`, which the filter requires if a run has one. */
const A_REQUEST = 100;
const REQUEST = requestOf(A_REQUEST);
const isMatch = (sequence: number) => sequence % A_REQUEST === 7;

/** Large enough for several pieces, with a number of slots that is no multiple of a request. */
const CAPACITY = { spans: 7_013, bytes: 1 << 20 };

const game = fc.record({
  /** The number of requests before the query; early ones may be evicted. */
  before: fc.integer({ min: 0, max: 150 }),
  /** The number of requests in each turn during the query. */
  meanwhile: fc.array(fc.integer({ min: 0, max: 45 }), { maxLength: 6 }),
  newestFirst: fc.boolean(),
  isNamed: fc.boolean(),
  after: fc.oneof(fc.constant(0), fc.nat({ max: 16_000 })),
  limit: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 8_000 })),
});

// Goal: the range of an answer is correct: no buffered span in it that matches is missing.
// Method: while the ring is scanned, random numbers of spans arrive in each turn and evict others;
// the sequence alone determines whether a span matches. The seed is printed.
test("an answer misses no match in its range, whatever arrives meanwhile", async () => {
  let [evictedMeanwhile, cut] = [0, 0];
  const property = fc.asyncProperty(game, async ({ before, meanwhile, isNamed, ...query }) => {
    const { buffer, arrive } = searchedRing(CAPACITY);
    for (let count = 0; count < before; count += 1) arrive(REQUEST);
    const { first, next } = buffer.range();
    const filter = isNamed ? named("span 7") : [];

    const pending = querySpans(buffer, { filter, ...query });
    for (const requests of meanwhile) {
      for (let count = 0; count < requests; count += 1) arrive(REQUEST);
      await nextTurn();
    }
    const { sequences, range, request } = await pending;

    const matching = rangeOf(range).filter((sequence) => !isNamed || isMatch(sequence));
    const within = sequences.filter((sequence) => range.first <= sequence);
    const inOrder = query.newestFirst ? within.toReversed() : within;
    expect(inOrder).toEqual(matching.filter((sequence) => sequence < next));
    expect(sequences).toEqual(sorted(sequences, query.newestFirst));
    expect(sequences.length).toBeLessThanOrEqual(query.limit);
    expect(sequences.every((sequence) => sequence > query.after)).toBe(true);
    expect(request.length > 0).toBe(sequences.length > 0);
    // Newest first, all returned spans are also in the range.
    expect(query.newestFirst ? within : sequences).toEqual([...sequences]);
    expect(range.first).toBeGreaterThanOrEqual(Math.max(first, query.after + 1));
    evictedMeanwhile += buffer.range().first > first ? 1 : 0;
    cut += sequences.length === query.limit ? 1 : 0;
  });

  await fc.assert(property, { numRuns: fuzzRuns(150) });
  expect(evictedMeanwhile).toBeGreaterThan(20);
  expect(cut).toBeGreaterThan(20);
});

test.each([{ newestFirst: false }, { newestFirst: true }])(
  "the range of traces ends where the scan ended: %o",
  async ({ newestFirst }) => {
    const { buffer, arrive } = searchedRing();
    arrive(requestOf(9));

    const { traces, range } = await summariseTraces(buffer, {
      filter: [],
      after: 2,
      limit: 3,
      newestFirst,
    });

    expect(traces).toHaveLength(3);
    expect(range).toEqual(newestFirst ? { first: 7, next: 10 } : { first: 3, next: 6 });
  },
);

function rangeOf({ first, next }: { readonly first: number; readonly next: number }): number[] {
  return Array.from({ length: next - first }, (_, index) => first + index);
}

function sorted(sequences: readonly number[], newestFirst: boolean): number[] {
  const ascending = [...new Set(sequences)].toSorted((one, other) => one - other);
  return newestFirst ? ascending.toReversed() : ascending;
}
