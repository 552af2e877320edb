import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../src/application/observability-buffer.ts";
import type { ServiceAmount } from "../../src/application/ring-services.ts";
import { assertBooksBalance } from "../../src/domain/ledger.ts";
import { walkRequest } from "../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../src/domain/wire/walked-request.ts";
import { ArrayRing, type ShapedRequest } from "../support/array-ring.ts";
import { rejectedOf } from "../support/filled-ring.ts";
import { FUZZ_TIMEOUT_MS, fuzzRuns } from "../support/fuzz-runs.ts";
import { encodeShape, requestShapeArbitrary } from "../support/request-shape.ts";

const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });

/** Requests to choose from, smallest first, so that a failure shrinks towards small ones. */
const requests: readonly ShapedRequest[] = fc
  .sample(requestShapeArbitrary, { seed: 20_260_721, numRuns: 300 })
  .map((shape) => ({ shape, bytes: encodeShape(shape) }))
  .toSorted((one, other) => one.bytes.length - other.bytes.length);

const LARGEST_BYTES = requests.at(-1)!.bytes.length;

type Step =
  | { readonly does: "append"; readonly request: number; readonly rejected: number }
  | { readonly does: "take"; readonly count: number }
  | { readonly does: "clear" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      does: fc.constant("append" as const),
      request: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: requests.length - 1 })),
      rejected: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("take" as const),
      count: fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 60 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ does: "clear" as const }) },
);

const STEPS_A_RUN = 100;

const game = fc.record({
  capacity: fc.record({
    spans: fc.integer({ min: 1, max: 60 }),
    bytes: fc.integer({ min: 40, max: 3 * LARGEST_BYTES }),
  }),
  overflowPolicy: fc.constantFrom("drop_oldest" as const, "refuse" as const),
  steps: fc.array(step, { minLength: STEPS_A_RUN, maxLength: STEPS_A_RUN }),
  peeked: fc.nat({ max: 70 }),
});

// Goal: whatever the order of calls, the ring says and hands out what an array of spans would.
// Method: 15,000 random steps, on two views of one memory by turns; fast-check prints its seed.
test(
  "agrees with an array, byte for byte, for any sequence of calls",
  () => {
    const property = fc.property(game, ({ capacity, overflowPolicy, steps, peeked }) => {
      const options = { codec: new ProtobufSpanCodec(), overflowPolicy };
      const created = ObservabilityBuffer.create(capacity, options);
      const views = [created, ObservabilityBuffer.open(created.shared, options)] as const;
      const model = new ArrayRing(capacity);
      for (const [index, doing] of steps.entries()) {
        const ring = views[index % 2]!;
        const other = views[(index + 1) % 2]!;

        const mayEvict = overflowPolicy === "drop_oldest";
        const [done, expected] = doToBoth(doing, { ring, model, mayEvict });

        expect(done).toEqual(expected);
        expect(other.stats()).toEqual(model.stats());
        expect(other.services()).toMatchObject(model.services());
        expect(other.size()).toBe(model.size);
        expect(other.isFull()).toBe(model.isFull());
        expect(other.peek(peeked).toHex()).toBe(model.peek(peeked).toHex());
        assertBooksBalance(other.stats().spans);
        assertBooksBalance(other.stats().bytes);
      }
    });

    fc.assert(property, { numRuns: fuzzRuns(150) });
  },
  FUZZ_TIMEOUT_MS,
);

/** Of two services, of which one sends valid spans too. */
function rejectedSpans(count: number): ServiceAmount[] {
  return ["shop", "odd"].slice(0, count).flatMap((service) => rejectedOf(service, count, 11));
}

interface Players {
  readonly ring: ObservabilityBuffer;
  readonly model: ArrayRing;
  readonly mayEvict: boolean;
}

function doToBoth(doing: Step, { ring, model, mayEvict }: Players) {
  if (doing.does === "clear") return [ring.clear(), model.clear()] as const;
  if (doing.does === "take") {
    return [ring.take(doing.count).toHex(), model.take(doing.count).toHex()] as const;
  }
  const request = requests[doing.request]!;
  const rejected = rejectedSpans(doing.rejected);
  walkRequest(walked, request.bytes);
  return [ring.append(walked, rejected), model.append(request, rejected, mayEvict)] as const;
}
