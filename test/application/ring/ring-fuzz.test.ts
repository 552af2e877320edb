import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { openRingMemory } from "../../../src/application/ring/ring-memory.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { requestOfPart } from "../../../src/application/ring/ring-lease.ts";
import {
  assertLedgerBalances,
  type ServiceAmount,
  type SpanAmount,
} from "../../../src/domain/ledger.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import {
  ArrayRing,
  type ModelLease,
  type ShapedRequest,
} from "../../support/oracles/array-ring.ts";
import { assertInvariants } from "../../support/oracles/ring-invariants.ts";
import { rejectedOf } from "../../support/running/filled-ring.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { encodeShape, requestShapeArbitrary } from "../../support/requests/request-shape.ts";
import type { OldestSpans, Lease, Settlement } from "../../../src/ports/trace-buffer.ts";

const walked = createWalkedRequest({ spansPerRequest: 1_000, nestingDepth: 100 });

/** Requests to choose from, smallest first, so that a failure shrinks towards small ones. */
const requests: readonly Omit<ShapedRequest, "unixMs">[] = fc
  .sample(requestShapeArbitrary, { seed: 20_260_721, numRuns: 300 })
  .map((shape) => ({ shape, bytes: encodeShape(shape) }))
  .toSorted((one, other) => one.bytes.length - other.bytes.length);

const LARGEST_BYTES = requests.at(-1)!.bytes.length;

const SETTLEMENTS = ["delivered", "returned", "undeliverable"] as const;
const codec = new ProtobufSpanCodec();

type Step =
  | { readonly does: "append"; readonly request: number; readonly rejected: number }
  | { readonly does: "take"; readonly count: number }
  | { readonly does: "clear" }
  | { readonly does: "lease"; readonly spans: number; readonly bytes: number }
  | {
      readonly does: "settle";
      readonly which: number;
      readonly cut: number;
      readonly settlement: Settlement;
    };

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
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant("lease" as const),
      spans: fc.nat({ max: 12 }),
      bytes: fc.nat({ max: 600 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("settle" as const),
      which: fc.nat({ max: 3 }),
      cut: fc.nat({ max: 12 }),
      settlement: fc.constantFrom(...SETTLEMENTS),
    }),
  },
);

/** With `SPANRING_FUZZ_FACTOR=67`, all runs together have a million steps. */
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

// Goal: the ring returns what an array of spans would return, in any order of calls.
// Method: 15,000 random steps, alternately on two views of one memory; fast-check prints its seed.
test("the ring agrees with an array, byte for byte, for any sequence of calls", () => {
  const overtaken = { delivered: 0, undeliverable: 0, returned: 0 };
  const property = fc.property(game, ({ capacity, overflowPolicy, steps, peeked }) => {
    const now = { unixMs: 0 };
    const options = { codec, overflowPolicy, unixMs: () => now.unixMs };
    const created = ObservabilityBuffer.create(capacity, options);
    const views = [created, ObservabilityBuffer.open(created.shared, options)] as const;
    const memory = openRingMemory(created.shared);
    const model = new ArrayRing(capacity);
    const leases: Players["leases"] = [];
    for (const [index, doing] of steps.entries()) {
      const ring = views[index % 2]!;
      const other = views[(index + 1) % 2]!;

      const mayEvict = overflowPolicy === "drop_oldest";
      now.unixMs = index;
      const [done, expected] = doInBoth(doing, { ring, model, mayEvict, leases, ...now });

      assertInvariants(memory);
      expect(done).toEqual(expected);
      expect(other.stats()).toEqual(model.stats());
      expect(other.services()).toMatchObject(model.services());
      expect(other.size()).toBe(model.size);
      expect(other.isFull()).toBe(model.isFull());
      expect(other.oldestUnixMs()).toBe(model.oldestUnixMs());
      expect(written(other.peek(peeked))).toEqual(written(model.peek(peeked)));
      assertLedgerBalances(other.stats().spans);
      assertLedgerBalances(other.stats().bytes);
    }
    for (const each of SETTLEMENTS) overtaken[each] += model.overtakenSpans[each];
  });

  fc.assert(property, { numRuns: fuzzRuns(150) });
  expect(Math.min(...Object.values(overtaken))).toBeGreaterThan(100);
});

/** Returns rejected spans of two services, one of which sends valid spans too. */
function rejectedSpans(count: number): ServiceAmount[] {
  return ["shop", "odd"].slice(0, count).flatMap((service) => rejectedOf(service, count, 11));
}

interface OpenLease {
  readonly real: Lease;
  readonly model: ModelLease;
  readonly end: number;
}

interface Players {
  readonly ring: ObservabilityBuffer;
  readonly model: ArrayRing;
  readonly mayEvict: boolean;
  /** The leases that are not settled, or only from `end` on, of the ring and the model. */
  readonly leases: OpenLease[];
  readonly unixMs: number;
}

/** Performs a step on both; returns the result of the ring and the expected one. */
function doInBoth(doing: Step, players: Players): readonly [unknown, unknown] {
  const { ring, model } = players;
  switch (doing.does) {
    case "append":
      return appendToBoth(doing, players);
    case "take":
      return [written(ring.take(doing.count)), written(model.take(doing.count))];
    case "clear":
      return [ring.clear(), model.clear()];
    case "lease":
      return leaseInBoth(doing, players);
    case "settle":
      return settleInBoth(doing, players);
  }
}

/** Returns the bytes as text, so that a difference is printed briefly. */
function written({ request, ...oldest }: OldestSpans) {
  return { ...oldest, request: request.toHex() };
}

function leaseInBoth(limit: SpanAmount, { ring, model: array, leases }: Players) {
  const [real, model] = [ring.lease(limit), array.lease(limit)];
  if (real !== undefined && model !== undefined)
    leases.push({ real, model, end: real.sequences.length });
  return [seen(real), seen(model)] as const;
}

function seen(lease: Lease | ModelLease | undefined) {
  return [lease?.request.toHex(), lease?.sequences];
}

/** Settles the last spans of an open lease, or all of it; the rest stays open. */
function settleInBoth(doing: Step & { does: "settle" }, { ring, model, leases }: Players) {
  const [lease] = leases.splice(doing.which % Math.max(1, leases.length), 1);
  if (lease === undefined) return [[], []] as const;
  const { end } = lease;
  const part = { first: Math.min(doing.cut, end - 1), end };
  if (part.first > 0) leases.push({ ...lease, end: part.first });
  const sent = spansIn(requestOfPart(lease.real, part));
  const expected = lease.model.entries.slice(part.first, end);
  return [
    [sent, ring.settle(lease.real, doing.settlement, part)],
    [
      expected.map(({ span: { body } }) => hexOf(body)),
      model.settle(lease.model, doing.settlement, part),
    ],
  ] as const;
}

function spansIn(request: Uint8Array): string[] {
  walkRequest(walked, request);
  return Array.from({ length: walked.spanCount }, (_, row) => {
    const start = walked.spanOffset[row]!;
    return hexOf(request.subarray(start, start + walked.spanLength[row]!));
  });
}

function hexOf(bytes: Iterable<number>): string {
  return Uint8Array.from(bytes).toHex();
}

function appendToBoth(doing: Step & { does: "append" }, players: Players) {
  const { ring, model, mayEvict, unixMs } = players;
  const request = { ...requests[doing.request]!, unixMs };
  const rejected = rejectedSpans(doing.rejected);
  walkRequest(walked, request.bytes);
  return [ring.append(walked, rejected), model.append(request, rejected, mayEvict)] as const;
}
