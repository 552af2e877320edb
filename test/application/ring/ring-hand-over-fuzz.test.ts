import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { copySpans } from "../../../src/application/ring/ring-hand-over.ts";
import { FIRST_SEQUENCE, NEXT_SEQUENCE } from "../../../src/application/ring/ring-memory.ts";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { joined, ringOf } from "../../support/running/filled-ring.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { encodeShape, requestShapeArbitrary } from "../../support/requests/request-shape.ts";

const game = fc.record({
  spans: fc.integer({ min: 1, max: 60 }),
  requests: fc.array(requestShapeArbitrary.map(encodeShape), { minLength: 1, maxLength: 8 }),
  /** For each received span, whether it is requested, and its position in the order. */
  choices: fc.infiniteStream(fc.record({ isChosen: fc.boolean(), rank: fc.nat({ max: 1_000 }) })),
  order: fc.constantFrom("ascending", "descending", "any" as const),
});

// Goal: a copy contains the requested spans that are still buffered, in the requested order, each
// in its own resource and scope.
// Method: random requests are appended to a ring without room for all; protobufjs decodes what was
// received and what is copied. The seed is printed.
test("any spans in any order are copied as received, without evicted ones", () => {
  let [copiedCount, goneCount] = [0, 0];
  const property = fc.property(game, ({ spans, requests, choices, order }) => {
    const ring = ringOf({ spans, bytes: 1 << 16 }, ...requests);
    const received = requests.flatMap((request) => decodeSpans(Buffer.from(request)));
    const first = ring.control[FIRST_SEQUENCE]!;
    const chosen = received
      .keys()
      .map((index) => ({ sequence: index + 1, ...choices.next().value! }))
      .filter(({ isChosen }) => isChosen)
      .toArray()
      .toSorted((one, other) => (order === "any" ? one.rank - other.rank : 0))
      .map(({ sequence }) => sequence);
    const requested = order === "descending" ? chosen.toReversed() : chosen;

    const copied = copySpans(ring, requested);

    const present = requested.filter((sequence) => sequence >= first);
    expect(copied.sequences).toEqual(present);
    const decoded = decodeSpans(Buffer.from(copied.request));
    expect(decoded).toEqual(present.map((sequence) => received[sequence - 1]!));
    copiedCount += present.length;
    goneCount += requested.length - present.length;
  });

  fc.assert(property, { numRuns: fuzzRuns(500) });
  expect(copiedCount).toBeGreaterThan(1_000);
  expect(goneCount).toBeGreaterThan(1_000);
});

test("all spans of complete requests are copied as the received bytes", () => {
  const some = fc.array(requestShapeArbitrary.map(encodeShape), { maxLength: 6 });
  const property = fc.property(some, (requests) => {
    const ring = ringOf({ spans: 1_000, bytes: 1 << 18 }, ...requests);
    const length = ring.control[NEXT_SEQUENCE]! - 1;

    const { request } = copySpans(
      ring,
      Array.from({ length }, (_, index) => index + 1),
    );

    expect(request.toHex()).toBe(joined(...requests).toHex());
  });

  fc.assert(property, { numRuns: fuzzRuns(200) });
});
