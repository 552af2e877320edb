import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { matchesPlainly } from "../../support/oracles/plain-filter.ts";
import { filterArbitrary, queryableRequest } from "../../support/requests/queryable-request.ts";
import { nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const game = fc.record({
  filters: fc.array(filterArbitrary, { minLength: 1, maxLength: 8 }),
  /** The requests that arrive in each turn. */
  turns: fc.array(fc.array(queryableRequest, { maxLength: 3 }), { maxLength: 3 }),
});

// Goal: filters that are found by a trace, a name or a service receive the spans that they would
// receive if they were tried on every span.
// Method: protobufjs decodes the spans, and a plain function filters them. The seed is printed.
test("each subscriber is called with exactly the spans that its filter matches", async () => {
  let matched = 0;
  const property = fc.asyncProperty(game, async ({ filters, turns }) => {
    const { buffer, arrivals, arrive } = searchedRing();
    const received = filters.map((): number[] => []);
    for (const [index, filter] of filters.entries()) {
      arrivals.subscribe(filter, (sequences) => received[index]!.push(...sequences));
    }
    for (const requests of turns) {
      arrive(...requests);
      await nextTurn();
      // The next requests overwrite these, so that nothing remembered about these may be used.
      buffer.clear();
    }

    const spans = turns.flat().flatMap((request) => decodeSpans(Buffer.from(request)));
    const expected = filters.map((filter) =>
      spans.flatMap((span, index) => (matchesPlainly(span, filter) ? [index + 1] : [])),
    );
    expect(received).toEqual(expected);
    matched += received.flat().length;
  });

  await fc.assert(property, { numRuns: fuzzRuns(400) });
  expect(matched).toBeGreaterThan(1_000);
});
