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
  /** Of each span that has come, whether it is wanted, and where in the order. */
  wishes: fc.infiniteStream(fc.record({ isWanted: fc.boolean(), place: fc.nat({ max: 1_000 }) })),
  order: fc.constantFrom("ascending", "descending", "any" as const),
});

// Goal: whatever sequences are asked for, the copy is those spans that are still there, in that
// order, each in its own resource and scope.
// Method: random requests, put one after the other into a ring that has no room for all; protobufjs
// decodes what came and what is copied. The seed is printed.
test("any spans in any order are copied as they came, without those that are gone", () => {
  let [copiedCount, goneCount] = [0, 0];
  const property = fc.property(game, ({ spans, requests, wishes, order }) => {
    const ring = ringOf({ spans, bytes: 1 << 16 }, ...requests);
    const came = requests.flatMap((request) => decodeSpans(Buffer.from(request)));
    const first = ring.control[FIRST_SEQUENCE]!;
    const wanted = came
      .keys()
      .map((index) => ({ sequence: index + 1, ...wishes.next().value! }))
      .filter(({ isWanted }) => isWanted)
      .toArray()
      .toSorted((one, other) => (order === "any" ? one.place - other.place : 0))
      .map(({ sequence }) => sequence);
    const asked = order === "descending" ? wanted.toReversed() : wanted;

    const copied = copySpans(ring, asked);

    const there = asked.filter((sequence) => sequence >= first);
    expect(copied.sequences).toEqual(there);
    const decoded = decodeSpans(Buffer.from(copied.request));
    expect(decoded).toEqual(there.map((sequence) => came[sequence - 1]!));
    copiedCount += there.length;
    goneCount += asked.length - there.length;
  });

  fc.assert(property, { numRuns: fuzzRuns(500) });
  expect(copiedCount).toBeGreaterThan(1_000);
  expect(goneCount).toBeGreaterThan(1_000);
});

test("all spans of requests that are whole are copied as the bytes that came", () => {
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
