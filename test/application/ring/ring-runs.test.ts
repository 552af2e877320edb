import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { spanNumbers } from "../../support/oracles/walked-spans.ts";
import { requestOf, spanBody } from "../../support/requests/request-bytes.ts";

/** Returns a ring with these requests, which arrive at 1, 2, ... */
function ringWith(...requests: Uint8Array[]): ObservabilityBuffer {
  let unixMs = 0;
  const options = { codec: new ProtobufSpanCodec(), unixMs: () => (unixMs += 1) };
  const ring = ObservabilityBuffer.create({ spans: 20, bytes: 1 << 16 }, options);
  const walked = createWalkedRequest({ spansPerRequest: 100, nestingDepth: 100 });
  for (const each of requests) {
    walkRequest(walked, each);
    ring.append(walked);
  }
  return ring;
}

/** Returns all runs from a sequence on, as `time: numbers`. */
function runsFrom(ring: ObservabilityBuffer, first: number): string[] {
  const runs: string[] = [];
  for (let next = first; ;) {
    const run = ring.copyRun(next);
    if (run === undefined) return runs;
    runs.push(`${run.unixMs}: ${run.sequence} ${spanNumbers(run.request).join()}`);
    next = run.sequence + run.spanCount;
  }
}

test("runs are requests, byte for byte, with the times of their arrival", () => {
  const ring = ringWith(requestOf(3), requestOf(2, 4));

  expect(runsFrom(ring, 0)).toEqual(["1: 1 1,2,3", "2: 4 4,5"]);
  expect(ring.copyRun(0)!.request).toEqual(requestOf(3));
  expect(ring.copyRun(2)).toMatchObject({ spanCount: 2, spanBytes: 2 * spanBody(1).length });
});

test("a run begins at the wanted sequence, and ends at a span that has left", () => {
  const ring = ringWith(requestOf(6), requestOf(2, 7));
  const lease = ring.lease({ spans: 5, bytes: 1 << 16 })!;
  ring.settle(lease, "delivered", { first: 2, end: 4 });

  // The others of the lease have not left, so they are in a run.
  expect(runsFrom(ring, 2)).toEqual(["1: 2 2", "1: 5 5,6", "2: 7 7,8"]);
});

test("no run is left after the newest span, nor in an empty ring", () => {
  expect(ringWith(requestOf(3)).copyRun(4)).toBeUndefined();
  expect(ringWith().copyRun(1)).toBeUndefined();
});

test("runs are the same after the ring has gone round", () => {
  const ring = ringWith(requestOf(12), requestOf(6, 13), requestOf(7, 19));

  expect(runsFrom(ring, 1)).toEqual([
    "1: 6 6,7,8,9,10,11,12",
    "2: 13 13,14,15,16,17,18",
    "3: 19 19,20,21,22,23,24,25",
  ]);
});

test("the ranges are all buffered sequences, leased or free", () => {
  const ring = ringWith(requestOf(6), requestOf(2, 7));
  const lease = ring.lease({ spans: 5, bytes: 1 << 16 })!;
  ring.settle(lease, "delivered", { first: 2, end: 4 });

  expect(ring.ranges()).toEqual([
    { first: 1, next: 3 },
    { first: 5, next: 9 },
  ]);
  expect(ringWith().ranges()).toEqual([]);
});
