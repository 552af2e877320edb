/* oxlint-disable unicorn/require-post-message-target-origin -- a Worker has no origin */
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { requestOfPart } from "../../../src/application/ring/ring-lease.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { checkedRequest, SpanChecker } from "../oracles/checked-spans.ts";
import type { Lease, LeasePart, Settlement } from "../../../src/ports/trace-buffer.ts";

/** A thread that appends spans to a shared ring, takes some, leases some, or does all of these. */
export interface RingJob {
  readonly ring: SharedArrayBuffer;
  readonly board: SharedArrayBuffer;
  /** The number of the thread, which its spans contain. Threads that append are numbered from 0. */
  readonly thread: number;
  /** Number of spans that each appending thread appends, in requests of at most `MAX_SPANS`. */
  readonly spansEach: number;
  readonly appends: boolean;
  /** Whether it also takes spans, until all threads have appended theirs and the ring is empty. */
  readonly takes: boolean;
  /** Whether it leases spans for the same time. Returned spans come out of order. */
  readonly leases?: boolean;
  readonly isOrdered?: boolean;
  readonly seed: number;
}

export const MAX_SPANS = 400;

/**
 * The state shared by all threads: the number of spans still to come, and how often each came out.
 */
export class TakingBoard {
  readonly shared: SharedArrayBuffer;
  readonly spansToCome: Int32Array;
  readonly takings: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.spansToCome = new Int32Array(shared, 0, 1);
    this.takings = new Uint8Array(shared, 4);
  }

  static create(spanCount: number): TakingBoard {
    const board = new TakingBoard(new SharedArrayBuffer(4 + spanCount));
    board.spansToCome[0] = spanCount;
    return board;
  }
}

declare const self: Worker;

if (!Bun.isMainThread) {
  self.addEventListener("message", ({ data }: MessageEvent<RingJob>) => {
    run(data);
    self.postMessage("done");
  });
}

function run(job: RingJob): void {
  const ring = ObservabilityBuffer.open(job.ring, { codec: new ProtobufSpanCodec() });
  const board = new TakingBoard(job.board);
  const random = randomFrom(job.seed);
  const append = appenderOf(ring, job);
  const take = takerOf(ring, board, job);
  const lease = leaserOf(ring, board, job);
  const collect = collector();
  for (let left = job.appends ? job.spansEach : 0; left > 0;) {
    const count = Math.min(left, 1 + random(MAX_SPANS));
    append(job.spansEach - left, count);
    left -= count;
    if (job.takes) take(random(MAX_SPANS + 50));
    if (job.leases === true) lease(random);
    Atomics.sub(board.spansToCome, 0, count);
    collect();
  }
  while (hasMore(ring, board) && (job.takes || job.leases === true)) {
    if (job.takes) take(1 + random(MAX_SPANS));
    if (job.leases === true) lease(random);
    collect();
  }
}

/**
 * Collects garbage at intervals. Otherwise, each thread would let as much garbage pile up as the
 * ring has bytes, because these count in the heap of each thread.
 */
function collector(): () => void {
  let rounds = 0;
  return () => {
    rounds += 1;
    if (rounds % 100 === 0) Bun.gc(true);
  };
}

/** Reports whether there are more spans. Leased ones count, because they may be returned. */
function hasMore(ring: ObservabilityBuffer, board: TakingBoard): boolean {
  return Atomics.load(board.spansToCome, 0) > 0 || ring.size() > 0;
}

function appenderOf(ring: ObservabilityBuffer, { thread }: RingJob) {
  const walked = createWalkedRequest({ spansPerRequest: MAX_SPANS, nestingDepth: 10 });
  return (first: number, count: number): void => {
    walkRequest(walked, checkedRequest({ appender: thread, first, count }));
    const { outcome } = ring.append(walked);
    if (outcome !== "accepted") throw new Error(`spans of ${thread} were ${outcome}`);
  };
}

/**
 * Checks all spans that it takes: each is complete, and follows the spans that its appender
 * appended earlier.
 */
function takerOf(ring: ObservabilityBuffer, board: TakingBoard, job: RingJob) {
  const { spansEach, isOrdered = true } = job;
  const checker = new SpanChecker(2 * MAX_SPANS);
  const lastOf = new Map<number, number>();
  return (count: number): void => {
    checker.check(ring.take(count).request, (appender, number) => {
      if (isOrdered && number <= (lastOf.get(appender) ?? -1))
        throw new Error("spans came out of order");
      lastOf.set(appender, number);
      Atomics.add(board.takings, appender * spansEach + number, 1);
    });
  };
}

/**
 * Leases spans, with two leases open at a time, and settles the older one in three parts with
 * different outcomes. Delivered and undeliverable spans are checked and count as having come out.
 */
function leaserOf(ring: ObservabilityBuffer, board: TakingBoard, { spansEach }: RingJob) {
  const checker = new SpanChecker(2 * MAX_SPANS);
  const open: Lease[] = [];
  const send = (lease: Lease, part: LeasePart, settlement: Settlement) => {
    if (part.first === part.end) return;
    checker.check(requestOfPart(lease, part), (appender, number) => {
      if (settlement !== "returned") Atomics.add(board.takings, appender * spansEach + number, 1);
    });
    ring.settle(lease, settlement, part);
  };
  return (random: (bound: number) => number): void => {
    const leased = ring.lease({ spans: 1 + random(MAX_SPANS), bytes: 1 << 20 });
    if (leased !== undefined && open.push(leased) < 2) return;
    const settled = open.shift();
    if (settled === undefined) return;
    const { length } = settled.sequences;
    const cuts = [random(length + 1), random(length + 1)].toSorted((one, other) => one - other);
    send(settled, { first: cuts[1]!, end: length }, "delivered");
    send(settled, { first: 0, end: cuts[0]! }, "undeliverable");
    send(settled, { first: cuts[0]!, end: cuts[1]! }, "returned");
  };
}

/** Returns integers below a bound, the same ones for the same seed. */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
